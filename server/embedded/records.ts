import type { Catalog, Collection, Index } from './catalog.ts';
import { Fault } from './errors.ts';
import { indexKeys } from './index-keys.ts';
import { encodeKey, encodeKeys } from './keys.ts';
import type { Storage } from './storage.ts';
import { MAX_KEY } from './storage.ts';
import type { Doc } from './values.ts';
import { display, setField } from './values.ts';

const NO_BYTES = Buffer.alloc(0);

/** An entry of an index: its key, and the values that the key was made of. */
interface Entry {
  key: Buffer;
  values: unknown[];
}

/** The entries of a document in one index, each key once. */
interface Entries {
  index: Index;
  list: Entry[];
  /** Which fields of the index met an array; none of them where it is empty. */
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
  return encodeKey(NO_BYTES, [id], [1]);
}

/** The records of a storage, whose indexes the catalog tells. */
export function openRecords(storage: Storage, catalog: Catalog): Records {
  const check = (collection: Collection, index: Index, added: Entry[]): void => {
    if (!index.unique) return;
    for (const { key, values } of added) if (storage.has(key)) throw duplicateKey(collection, index, values);
  };

  const markMultikey = (collection: Collection, all: Entries[]): Collection => {
    if (!all.some(({ index, multikey }) => multikey.some((is, field) => is && !index.multikey[field])))
      return collection;
    const met = new Map(all.map(({ index, multikey }) => [index.name, multikey]));
    const isNews = (index: Index) => met.get(index.name)?.some((is, field) => is && !index.multikey[field]) === true;
    const indexes = collection.indexes.map((index) =>
      isNews(index)
        ? { ...index, multikey: index.multikey.map((is, i) => is || met.get(index.name)![i] === true) }
        : index,
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
      for (const { index, list } of all) check(collection, index, list);
      storage.put(key, raw);
      for (const { list } of all) for (const entry of list) storage.put(entry.key, id);
      return markMultikey(collection, all);
    },

    replace(collection, before, after, raw) {
      const id = recordId(before._id);
      const touched = secondary(collection).filter((index) => index.roots.some((root) => before[root] !== after[root]));
      const changes = touched.map((index) => {
        const old = entriesOf(collection, index, before, id);
        const now = entriesOf(collection, index, after, id);
        return { now, added: without(now.list, old.list), removed: without(old.list, now.list) };
      });
      for (const { now, added } of changes) check(collection, now.index, added);
      storage.put(Buffer.concat([collection.primary.prefix, id]), raw);
      for (const { added, removed } of changes) {
        for (const { key } of removed) storage.remove(key);
        for (const { key } of added) storage.put(key, id);
      }
      return markMultikey(
        collection,
        changes.map(({ now }) => now),
      );
    },

    remove(collection, doc) {
      const id = recordId(doc._id);
      for (const index of secondary(collection)) {
        for (const { key } of entriesOf(collection, index, doc, id).list) storage.remove(key);
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
          check(collection, index, entries.list);
          for (const { key } of entries.list) {
            storage.put(key, id);
            built.push(key);
          }
          multikey = multikey.map((is, field) => is || entries.multikey[field] === true);
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
  if (index.partial !== undefined && !index.partial.test(doc)) return { index, list: [], multikey: [] };
  const { tuples, multikey } = indexKeys(doc, index.parts);
  const filled = index.sparse ? tuples.filter((values) => values.some((value) => value !== undefined)) : tuples;
  const keys = encodeKeys(index.prefix, filled, index.directions, index.unique ? NO_BYTES : id);
  const list = keys.map((key, at): Entry => {
    if (key.length > MAX_KEY) throw keyTooLong(collection, index);
    return { key, values: filled[at]! };
  });
  return { index, list: list.length > 1 ? [...byKey(list).values()] : list, multikey };
}

/** Entries by their keys' bytes, as latin1 text: buffers do not compare by value. */
function byKey(list: Entry[]): Map<string, Entry> {
  return new Map(list.map((entry) => [entry.key.toString('latin1'), entry]));
}

/** The entries of the one list whose keys are not in the other. */
function without(list: Entry[], others: Entry[]): Entry[] {
  const keys = byKey(others);
  return list.filter(({ key }) => !keys.has(key.toString('latin1')));
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
