import { Fault } from './errors.ts';
import { indexKeys } from './index-keys.ts';
import { encodeKey } from './keys.ts';
import type { Doc } from './values.ts';
import { isDoc, isNumber, toNumber, typeName } from './values.ts';

export type SortSpec = { path: string; parts: string[]; direction: 1 | -1 }[];

const NO_PREFIX = Buffer.alloc(0);

/**
 * Reads a sort document; undefined if it asks for no order.
 * @throws Fault BadValue for directions other than 1 and -1
 */
export function parseSort(sort: unknown): SortSpec | undefined {
  if (sort === undefined || sort === null) return undefined;
  if (!isDoc(sort)) throw new Fault(14, `Expected field sort to be of type object, not ${typeName(sort)}`);
  const fields = Object.entries(sort).filter(([path]) => path !== '$natural');
  if (fields.length === 0) return undefined;
  return fields.map(([path, value]) => {
    const direction = isNumber(value) ? toNumber(value) : Number.NaN;
    if (direction !== 1 && direction !== -1) {
      throw new Fault(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    }
    return { path, parts: path.split('.'), direction };
  });
}

/** The bytes by which a document sorts; of an array the element that comes first in the direction counts. */
export function sortKey(doc: Doc, sort: SortSpec): Buffer {
  const { tuples } = indexKeys(
    doc,
    sort.map(({ parts }) => parts),
  );
  const directions = sort.map(({ direction }) => direction);
  const keys = tuples.map((values) => encodeKey(NO_PREFIX, values, directions));
  return keys.reduce((lowest, key) => (Buffer.compare(key, lowest) < 0 ? key : lowest));
}

/** The items in order (stable), only the first `limit` of them if there is a limit; it keeps no more in memory. */
export function sortItems<T>(items: Iterable<T>, docOf: (item: T) => Doc, sort: SortSpec, limit = Infinity): T[] {
  let kept: { key: Buffer; item: T }[] = [];
  const settle = () => {
    kept.sort((a, b) => Buffer.compare(a.key, b.key));
    if (kept.length > limit) kept = kept.slice(0, limit);
  };
  for (const item of items) {
    kept.push({ key: sortKey(docOf(item), sort), item });
    if (kept.length >= 1000 && kept.length > limit * 4) settle();
  }
  settle();
  return kept.map(({ item }) => item);
}
