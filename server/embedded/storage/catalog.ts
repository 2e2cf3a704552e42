import { ObjectId } from 'bson';
import type { Doc } from '../values/document.ts';
import { type Collection, compileCollection, compileIndex, type Index } from './collection.ts';
import { DROPPED, newTreePrefix, readCollections, removeCollection, writeCollection } from './definitions.ts';
import { under } from './range.ts';
import type { Storage } from './storage.ts';

/** The collections and their indexes, in memory. Every change is stored as well. */
export interface Catalog {
  /** The collections by namespace. */
  collections(): ReadonlyMap<string, Collection>;
  find(namespace: string): Collection | undefined;
  /** Within a write: stores a new or changed collection. */
  save(collection: Collection): void;
  /** Within a write: makes an empty collection. */
  create(namespace: string, options: Doc): Collection;
  /** Within a write: removes the collection. Its entries go later. */
  drop(collection: Collection): void;
  /** Within a write: removes an index. Its entries go later. Returns the collection without it. */
  dropIndex(collection: Collection, index: Index): Collection;
  /** Within a write: makes an empty index, which is not yet part of its collection. */
  newIndex(spec: Doc): Index;
  /** Within a write: removes up to `limit` entries of dropped collections and indexes. Returns false if none is left. */
  sweepDropped(limit: number): boolean;
  /** Reads everything again, after writes were undone. */
  reload(): void;
}

/** Reads the catalog from the storage. */
export function openCatalog(storage: Storage): Catalog {
  let collections = readCollections(storage);

  const save = (collection: Collection): void => {
    collections.set(collection.namespace, collection);
    writeCollection(storage, collection);
  };

  return {
    collections: () => collections,
    find: (namespace) => collections.get(namespace),
    save,
    create(namespace, options) {
      const primary = compileIndex({ v: 2, key: { _id: 1 }, name: '_id_' }, newTreePrefix(storage));
      const collection = compileCollection(namespace, new ObjectId(), options, [primary]);
      save(collection);
      return collection;
    },
    drop(collection) {
      collections.delete(collection.namespace);
      removeCollection(storage, collection.namespace);
      for (const index of collection.indexes) abandon(storage, index);
    },
    dropIndex(collection, index) {
      const changed = { ...collection, indexes: collection.indexes.filter((other) => other.name !== index.name) };
      save(changed);
      abandon(storage, index);
      return changed;
    },
    newIndex: (spec) => compileIndex(spec, newTreePrefix(storage)),
    sweepDropped: (limit) => sweepDropped(storage, limit),
    reload() {
      collections = readCollections(storage);
    },
  };
}

/** Leaves the index's entries to `sweepDropped`. */
function abandon(storage: Storage, index: Index): void {
  storage.put(Buffer.concat([DROPPED, index.prefix]), Buffer.alloc(0));
}

function sweepDropped(storage: Storage, limit: number): boolean {
  const [key] = storage.keys(under(DROPPED), 1);
  if (key === undefined) return false;
  const entries = storage.keys(under(key.subarray(DROPPED.length)), limit);
  entries.forEach(storage.remove);
  if (entries.length < limit) storage.remove(key);
  return true;
}
