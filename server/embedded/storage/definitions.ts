import { type Doc, decode, encode } from '../values/document.ts';
import { toNumber } from '../values/numbers.ts';
import { type Collection, compileCollection, compileIndex } from './collection.ts';
import { under } from './range.ts';
import type { Storage } from './storage.ts';

/* How the catalog is stored: the definitions of collections, and the numbers of trees. */

/** The prefix of the catalog's own keys. Collections and indexes are trees, whose prefixes are numbers from 1 on. */
const CATALOG = Buffer.from([0, 0, 0, 0]);
const NEXT_TREE = Buffer.concat([CATALOG, Buffer.of(0)]);
const COLLECTIONS = Buffer.concat([CATALOG, Buffer.of(1)]);
/** Keys with this prefix end with that of a tree whose entries are still to be removed. */
export const DROPPED = Buffer.concat([CATALOG, Buffer.of(2)]);

/** The prefix of a new tree. The number of the next one is stored behind four unused bytes. */
export function newTreePrefix(storage: Storage): Buffer {
  const next = storage.get(NEXT_TREE)?.readUInt32BE(4) ?? 1;
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(next + 1, 4);
  storage.put(NEXT_TREE, bytes);
  return treePrefix(next);
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

function treePrefix(tree: number): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(tree);
  return prefix;
}

function collectionKey(namespace: string): Buffer {
  return Buffer.concat([COLLECTIONS, Buffer.from(namespace)]);
}
