import { ObjectId } from 'bson';
import type { Doc } from '../values/document.ts';
import { type Collection, compileCollection, compileIndex, type Index } from './collection.ts';
import {
  DROPPED,
  readCollections,
  readState,
  removeCollection,
  treePrefix,
  writeCollection,
  writeState,
} from './definitions.ts';
import { under } from './range.ts';
import type { Storage } from './storage.ts';

/**
 * The collections and their indexes. Each change makes a new version, and its number is stored with it. A reader takes
 * the version whose number it sees in the storage, so the indexes that it knows fit the entries that it sees.
 */
export interface Catalog {
  /** The collections by namespace, as the storage has them now. */
  collections(): ReadonlyMap<string, Collection>;
  find(namespace: string): Collection | undefined;
  /** Within a write: stores a new or changed collection. */
  save(collection: Collection): void;
  /** Within a write: makes an empty collection. */
  create(namespace: string, options: Doc): Collection;
  /** Within a write: removes the collection. Its entries go later. */
  drop(collection: Collection): void;
  /** Within a write: removes an index. Returns the collection without it. */
  dropIndex(collection: Collection, index: Index): Collection;
  /** Within a write: makes an empty index, which is not yet part of its collection. */
  newIndex(spec: Doc): Index;
  /** Within a write: removes up to `limit` entries of dropped collections and indexes. Returns false if none is left. */
  sweepDropped(limit: number): boolean;
  /** Forgets versions that no reader can see any more. */
  forgetOld(): void;
}

/** Readers lag behind the newest version by one at most. Far more are kept. */
const KEPT_VERSIONS = 10_000;

/** Reads the catalog from the storage. */
export function openCatalog(storage: Storage): Catalog {
  const versions = new Map([[readState(storage).version, readCollections(storage)]]);
  const collections = () => versions.get(readState(storage).version)!;

  const advance = (change: (collections: Map<string, Collection>) => void): void => {
    const { version, nextTree } = readState(storage);
    const changed = new Map(versions.get(version));
    change(changed);
    versions.set(version + 1, changed);
    writeState(storage, { version: version + 1, nextTree });
  };

  const save = (collection: Collection): void => {
    advance((changed) => changed.set(collection.namespace, collection));
    writeCollection(storage, collection);
  };

  return {
    collections,
    find: (namespace) => collections().get(namespace),
    save,
    create(namespace, options) {
      const primary = compileIndex({ v: 2, key: { _id: 1 }, name: '_id_' }, newTree(storage));
      const collection = compileCollection(namespace, new ObjectId(), options, [primary]);
      save(collection);
      return collection;
    },
    drop(collection) {
      advance((changed) => changed.delete(collection.namespace));
      removeCollection(storage, collection.namespace);
      for (const index of collection.indexes) abandon(storage, index);
    },
    dropIndex(collection, index) {
      const changed = { ...collection, indexes: collection.indexes.filter((other) => other.name !== index.name) };
      save(changed);
      abandon(storage, index);
      return changed;
    },
    newIndex: (spec) => compileIndex(spec, newTree(storage)),
    sweepDropped: (limit) => sweepDropped(storage, limit),
    forgetOld() {
      const oldest = readState(storage).version - KEPT_VERSIONS;
      for (const version of versions.keys()) if (version < oldest) versions.delete(version);
    },
  };
}

/** The prefix of a new tree. */
function newTree(storage: Storage): Buffer {
  const { version, nextTree } = readState(storage);
  writeState(storage, { version, nextTree: nextTree + 1 });
  return treePrefix(nextTree);
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
