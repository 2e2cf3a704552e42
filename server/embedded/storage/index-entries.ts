import { indexKeys } from '../query/index-keys.ts';
import { display } from '../values/display.ts';
import { type Doc, setField } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { encodeKey, encodeKeys } from '../values/key-encoding.ts';
import type { Collection, Index } from './collection.ts';
import { MAX_KEY } from './storage.ts';

const NO_BYTES = Buffer.alloc(0);

/** An entry of an index, and the values that its key was made of. */
export interface IndexEntry {
  key: Buffer;
  values: unknown[];
}

/** The entries that a document has in one index. An array with equal elements gives the same key more than once. */
export interface IndexEntries {
  index: Index;
  list: IndexEntry[];
  /** Which fields of the index met an array. Empty if the document has no entries. */
  multikey: boolean[];
}

/** The encoded `_id`: the value of index entries, and the key of the document behind its collection's prefix. */
export function recordId(id: unknown): Buffer {
  return encodeKey(NO_BYTES, [id], [1]);
}

/**
 * The entries of a document in an index.
 * @param id the document's `recordId`
 * @throws Fault KeyTooLong, CannotIndexParallelArrays
 */
export function entriesOf(collection: Collection, index: Index, doc: Doc, id: Buffer): IndexEntries {
  if (index.partial !== undefined && !index.partial.test(doc)) return { index, list: [], multikey: [] };
  const { tuples, multikey } = indexKeys(doc, index.parts);
  const filled = index.sparse ? tuples.filter((values) => values.some((value) => value !== undefined)) : tuples;
  const keys = encodeKeys(index.prefix, filled, index.directions, index.unique ? NO_BYTES : id);
  const list = keys.map((key, at): IndexEntry => {
    if (key.length > MAX_KEY) throw keyTooLong(collection, index);
    return { key, values: filled[at]! };
  });
  return { index, list, multikey };
}

/** The entries whose keys are not among the others. */
export function without(list: IndexEntry[], others: IndexEntry[]): IndexEntry[] {
  // Keys are latin1 texts here, because buffers do not compare by value.
  const keys = new Set(others.map(({ key }) => key.toString('latin1')));
  return list.filter(({ key }) => !keys.has(key.toString('latin1')));
}

/** MongoDB's error for an entry that a unique index has already. */
export function duplicateKey(collection: Collection, index: Index, values: unknown[]): Fault {
  const keyValue: Doc = {};
  index.paths.forEach((path, field) => {
    const value = values[field];
    setField(keyValue, path, value === undefined || typeof value === 'symbol' ? null : value);
  });
  const message = `E11000 duplicate key error collection: ${collection.namespace} index: ${index.name} dup key: ${display(keyValue)}`;
  return new Fault(11000, message, { keyPattern: index.spec.key, keyValue });
}

/** The error for a key that LMDB cannot store. */
export function keyTooLong(collection: Collection, index: Index): Fault {
  return new Fault(
    17280,
    `key too large to index, failing ${collection.namespace} ${index.name}: the limit is ${MAX_KEY} bytes`,
  );
}
