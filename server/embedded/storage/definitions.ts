import { decode, type Doc, encode } from '../values/document.ts';
import { toNumber } from '../values/numbers.ts';
import { type Collection, compileCollection, compileIndex } from './collection.ts';
import { under } from './range.ts';
import type { Storage } from './storage.ts';

/* How the catalog lies in the storage: its keys, and the definitions of collections. */

/** The prefix of all keys of the catalog. Trees of documents and index entries have prefixes from 1 on. */
const CATALOG = Buffer.from([0, 0, 0, 0]);
const STATE = Buffer.concat([CATALOG, Buffer.of(0)]);
const COLLECTIONS = Buffer.concat([CATALOG, Buffer.of(1)]);
/** Followed by the prefix of a tree whose entries are still to be removed. */
export const DROPPED = Buffer.concat([CATALOG, Buffer.of(2)]);

/** The numbers of the catalog's version and of the next tree. */
export interface CatalogState {
  version: number;
  nextTree: number;
}

export function readState(storage: Storage): CatalogState {
  const bytes = storage.get(STATE);
  return { version: bytes?.readUInt32BE(0) ?? 0, nextTree: bytes?.readUInt32BE(4) ?? 1 };
}

export function writeState(storage: Storage, { version, nextTree }: CatalogState): void {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(version, 0);
  bytes.writeUInt32BE(nextTree, 4);
  storage.put(STATE, bytes);
}

/** All collections, by namespace. */
export function readCollections(storage: Storage): Map<string, Collection> {
  const collections = new Map<string, Collection>();
  for (const { value } of storage.read(under(COLLECTIONS), false, 1_000_000)) {
    const stored = decode(value) as { namespace: string; uuid: unknown; options: Doc; indexes: Doc[] };
    const indexes = stored.indexes.map((index) => ({
      ...compileIndex(index.spec as Doc, treePrefix(toNumber(index.tree))),
      multikey: index.multikey as boolean[],
    }));
    collections.set(stored.namespace, compileCollection(stored.namespace, stored.uuid, stored.options, indexes));
  }
  return collections;
}

export function writeCollection(storage: Storage, { namespace, uuid, options, indexes }: Collection): void {
  const stored = indexes.map(({ spec, multikey, prefix }) => ({ spec, multikey, tree: prefix.readUInt32BE(0) }));
  storage.put(collectionKey(namespace), encode({ namespace, uuid, options, indexes: stored }));
}

export function removeCollection(storage: Storage, namespace: string): void {
  storage.remove(collectionKey(namespace));
}

/** The prefix of the keys of a tree. */
export function treePrefix(tree: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(tree);
  return prefix;
}

function collectionKey(namespace: string): Buffer {
  return Buffer.concat([COLLECTIONS, Buffer.from(namespace)]);
}
