import type { Doc } from '../values/document.ts';
import type { Catalog } from './catalog.ts';
import type { Collection, Index } from './collection.ts';
import {
  duplicateKey,
  entriesOf,
  type IndexEntries,
  type IndexEntry,
  keyTooLong,
  recordId,
  without,
} from './index-entries.ts';
import { MAX_KEY, type Storage } from './storage.ts';

/**
 * Documents and their index entries. All of this runs within a write and checks before it writes, so that a refusal
 * leaves nothing half done. Each function returns the collection, which has changed if an index became multikey.
 */
export interface Records {
  /** @throws Fault DuplicateKey, KeyTooLong, CannotIndexParallelArrays */
  insert(collection: Collection, doc: Doc, raw: Uint8Array): Collection;
  /** @throws as `insert` */
  replace(collection: Collection, before: Doc, after: Doc, raw: Uint8Array): Collection;
  remove(collection: Collection, doc: Doc): void;
  /**
   * Fills a new index from the collection's documents and adds it to the collection.
   * @throws as `insert`
   */
  buildIndex(collection: Collection, index: Index, documents: Iterable<Doc>): Collection;
}

export function openRecords(storage: Storage, catalog: Catalog): Records {
  return {
    insert(collection, doc, raw) {
      const id = recordId(doc._id);
      const key = Buffer.concat([collection.primary.prefix, id]);
      if (key.length > MAX_KEY) throw keyTooLong(collection, collection.primary);
      const all = secondary(collection).map((index) => entriesOf(collection, index, doc, id));
      if (storage.has(key)) throw duplicateKey(collection, collection.primary, [doc._id]);
      for (const { index, list } of all) checkUnique(storage, collection, index, list);
      storage.put(key, raw);
      for (const { list } of all) for (const entry of list) storage.put(entry.key, id);
      return markMultikey(catalog, collection, all);
    },

    replace(collection, before, after, raw) {
      const id = recordId(before._id);
      const touched = secondary(collection).filter((index) => index.roots.some((root) => before[root] !== after[root]));
      const changes = touched.map((index) => {
        const old = entriesOf(collection, index, before, id);
        const now = entriesOf(collection, index, after, id);
        return { now, added: without(now.list, old.list), removed: without(old.list, now.list) };
      });
      for (const { now, added } of changes) checkUnique(storage, collection, now.index, added);
      storage.put(Buffer.concat([collection.primary.prefix, id]), raw);
      for (const { added, removed } of changes) {
        for (const { key } of removed) storage.remove(key);
        for (const { key } of added) storage.put(key, id);
      }
      const entries = changes.map(({ now }) => now);
      return markMultikey(catalog, collection, entries);
    },

    remove(collection, doc) {
      const id = recordId(doc._id);
      for (const index of secondary(collection)) {
        for (const { key } of entriesOf(collection, index, doc, id).list) storage.remove(key);
      }
      storage.remove(Buffer.concat([collection.primary.prefix, id]));
    },

    buildIndex(collection, index, documents) {
      const multikey = fillIndex(storage, collection, index, documents);
      const changed = { ...collection, indexes: [...collection.indexes, { ...index, multikey }] };
      catalog.save(changed);
      return changed;
    },
  };
}

function secondary(collection: Collection): Index[] {
  return collection.indexes.slice(1);
}

/** Throws DuplicateKey if the index is unique and has one of the entries already. */
function checkUnique(storage: Storage, collection: Collection, index: Index, added: IndexEntry[]): void {
  if (!index.unique) return;
  for (const { key, values } of added) if (storage.has(key)) throw duplicateKey(collection, index, values);
}

/** The collection, saved with its multikey fields if the entries brought a new one. */
function markMultikey(catalog: Catalog, collection: Collection, all: IndexEntries[]): Collection {
  if (!all.some(({ index, multikey }) => isNewlyMultikey(index, multikey))) return collection;
  const met = new Map(all.map(({ index, multikey }) => [index.name, multikey]));
  const indexes = collection.indexes.map((index) => withMultikey(index, met.get(index.name) ?? []));
  const changed = { ...collection, indexes };
  catalog.save(changed);
  return changed;
}

function isNewlyMultikey(index: Index, multikey: boolean[]): boolean {
  return multikey.some((is, field) => is && !index.multikey[field]);
}

function withMultikey(index: Index, met: boolean[]): Index {
  if (!isNewlyMultikey(index, met)) return index;
  return { ...index, multikey: index.multikey.map((is, field) => is || met[field] === true) };
}

/** Writes the entries of the documents. Returns which fields met an array. If it throws, nothing is left behind. */
function fillIndex(storage: Storage, collection: Collection, index: Index, documents: Iterable<Doc>): boolean[] {
  let { multikey } = index;
  const written: Buffer[] = [];
  try {
    for (const doc of documents) {
      const id = recordId(doc._id);
      const entries = entriesOf(collection, index, doc, id);
      checkUnique(storage, collection, index, entries.list);
      for (const { key } of entries.list) {
        storage.put(key, id);
        written.push(key);
      }
      multikey = multikey.map((is, field) => is || entries.multikey[field] === true);
    }
  } catch (error) {
    for (const key of written) storage.remove(key);
    throw error;
  }
  return multikey;
}
