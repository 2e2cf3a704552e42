import type { Catalog, Collection, Index } from './catalog.ts';
import { Fault } from './errors.ts';
import { indexKeys } from './index-keys.ts';
import { encodeKey } from './keys.ts';
import type { Storage } from './storage.ts';
import { MAX_KEY } from './storage.ts';
import type { Doc } from './values.ts';
import { display, setField } from './values.ts';

const NO_PREFIX = Buffer.alloc(0);

/** The entries of a document in one index. */
interface Entries {
  index: Index;
  /** By the key's bytes as latin1 text, so that keys compare by value. */
  keys: Map<string, { key: Buffer; values: unknown[] }>;
  multikey: boolean[];
}

/**
 * Documents and their index entries. Everything here runs within a write and checks before it writes, so that a
 * refusal leaves nothing half done. Each function returns the collection, changed if an index became multikey.
 */
export interface Records {
  insert(collection: Collection, doc: Doc, raw: Uint8Array): Collection;
  replace(collection: Collection, before: Doc, after: Doc, raw: Uint8Array): Collection;
  remove(collection: Collection, doc: Doc): void;
  /** Fills a new index from the collection's documents and adds it to the collection. */
  buildIndex(collection: Collection, index: Index, documents: Iterable<Doc>): Collection;
}

/** The encoding of an `_id`, which is the record's key behind the collection's prefix. */
export function recordId(id: unknown): Buffer {
  return encodeKey(NO_PREFIX, [id], [1], true);
}

/** The records of a storage, whose indexes the catalog tells. */
export function openRecords(storage: Storage, catalog: Catalog): Records {
  const check = (collection: Collection, entries: Entries, old?: Entries): void => {
    for (const [text, { key, values }] of entries.keys) {
      if (entries.index.unique && !old?.keys.has(text) && storage.has(key)) {
        throw duplicateKey(collection, entries.index, values);
      }
    }
  };

  const markMultikey = (collection: Collection, all: Entries[]): Collection => {
    const met = new Map(all.map(({ index, multikey }) => [index.name, multikey]));
    const isNews = (index: Index) => met.get(index.name)?.some((is, field) => is && !index.multikey[field]) === true;
    if (!collection.indexes.some(isNews)) return collection;
    const indexes = collection.indexes.map((index) =>
      isNews(index) ? { ...index, multikey: index.multikey.map((is, i) => is || met.get(index.name)![i]!) } : index,
    );
    const changed = { ...collection, indexes };
    catalog.save(changed);
    return changed;
  };

  return {
    insert(collection, doc, raw) {
      const id = recordId(doc._id);
      const key = Buffer.concat([collection.primary.prefix, id]);
      if (key.length > MAX_KEY) throw keyTooLong(collection, collection.primary);
      const all = secondary(collection).map((index) => entriesOf(collection, index, doc, id));
      if (storage.has(key)) throw duplicateKey(collection, collection.primary, [doc._id]);
      for (const entries of all) check(collection, entries);
      storage.put(key, raw);
      for (const { keys } of all) for (const { key: entry } of keys.values()) storage.put(entry, id);
      return markMultikey(collection, all);
    },

    replace(collection, before, after, raw) {
      const id = recordId(before._id);
      const touched = secondary(collection).filter((index) => index.roots.some((root) => before[root] !== after[root]));
      const changes = touched.map((index) => ({
        old: entriesOf(collection, index, before, id),
        new: entriesOf(collection, index, after, id),
      }));
      for (const change of changes) check(collection, change.new, change.old);
      storage.put(Buffer.concat([collection.primary.prefix, id]), raw);
      for (const change of changes) {
        for (const [text, { key }] of change.old.keys) if (!change.new.keys.has(text)) storage.remove(key);
        for (const [text, { key }] of change.new.keys) if (!change.old.keys.has(text)) storage.put(key, id);
      }
      return markMultikey(
        collection,
        changes.map((change) => change.new),
      );
    },

    remove(collection, doc) {
      const id = recordId(doc._id);
      for (const index of secondary(collection)) {
        for (const { key } of entriesOf(collection, index, doc, id).keys.values()) storage.remove(key);
      }
      storage.remove(Buffer.concat([collection.primary.prefix, id]));
    },

    buildIndex(collection, index, documents) {
      let multikey = index.multikey;
      const built: Buffer[] = [];
      try {
        for (const doc of documents) {
          const id = recordId(doc._id);
          const entries = entriesOf(collection, index, doc, id);
          check(collection, entries);
          for (const { key } of entries.keys.values()) {
            storage.put(key, id);
            built.push(key);
          }
          multikey = multikey.map((is, field) => is || entries.multikey[field]!);
        }
      } catch (error) {
        for (const key of built) storage.remove(key);
        throw error;
      }
      const changed = { ...collection, indexes: [...collection.indexes, { ...index, multikey }] };
      catalog.save(changed);
      return changed;
    },
  };
}

function secondary(collection: Collection): Index[] {
  return collection.indexes.slice(1);
}

function entriesOf(collection: Collection, index: Index, doc: Doc, id: Buffer): Entries {
  const entries: Entries = { index, keys: new Map(), multikey: [] };
  if (index.partial !== undefined && !index.partial.test(doc)) return entries;
  const { tuples, multikey } = indexKeys(doc, index.parts);
  entries.multikey = multikey;
  for (const values of tuples) {
    if (index.sparse && values.every((value) => value === undefined)) continue;
    const bare = encodeKey(index.prefix, values, index.directions, true);
    const key = index.unique ? bare : Buffer.concat([bare, id]);
    if (key.length > MAX_KEY) throw keyTooLong(collection, index);
    entries.keys.set(key.toString('latin1'), { key, values });
  }
  return entries;
}

function duplicateKey(collection: Collection, index: Index, values: unknown[]): Fault {
  const keyValue: Doc = {};
  index.paths.forEach((path, field) => {
    const value = values[field];
    setField(keyValue, path, value === undefined || typeof value === 'symbol' ? null : value);
  });
  const message = `E11000 duplicate key error collection: ${collection.namespace} index: ${index.name} dup key: ${display(keyValue)}`;
  return new Fault(11000, message, { keyPattern: index.spec.key, keyValue });
}

function keyTooLong(collection: Collection, index: Index): Fault {
  return new Fault(
    17280,
    `key too large to index, failing ${collection.namespace} ${index.name}: the limit is ${MAX_KEY} bytes`,
  );
}
