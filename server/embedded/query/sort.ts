import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { encodeKey } from '../values/key-encoding.ts';
import { isNumber, toNumber } from '../values/numbers.ts';
import { typeName } from '../values/types.ts';
import { indexKeys } from './index-keys.ts';

/** A sort order: its fields, the most significant first. */
export type SortSpec = { path: string; parts: string[]; direction: 1 | -1 }[];

const NO_PREFIX = Buffer.alloc(0);

/**
 * Reads a sort document.
 * @returns undefined if it asks for no order
 * @throws Fault 15975 for a direction other than 1 and -1, TypeMismatch if it is not a document
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

/** The bytes by which a document sorts. Of an array, the element that comes first in the sort's direction counts. */
function sortKey(doc: Doc, sort: SortSpec): Buffer {
  const { tuples } = indexKeys(
    doc,
    sort.map(({ parts }) => parts),
  );
  const directions = sort.map(({ direction }) => direction);
  const keys = tuples.map((values) => encodeKey(NO_PREFIX, values, directions));
  return keys.reduce((lowest, key) => (Buffer.compare(key, lowest) < 0 ? key : lowest));
}

export interface Sorter<T> {
  add(item: T): void;
  /** The first `limit` of the items added, in order. */
  sorted(): T[];
}

/** Sorts items as they come. The sort is stable, and holds at most a few times `limit` items in memory. */
export function createSorter<T>(docOf: (item: T) => Doc, sort: SortSpec, limit = Infinity): Sorter<T> {
  let kept: { key: Buffer; item: T }[] = [];
  const settle = () => {
    kept.sort((a, b) => Buffer.compare(a.key, b.key));
    if (kept.length > limit) kept = kept.slice(0, limit);
  };
  return {
    add(item) {
      kept.push({ key: sortKey(docOf(item), sort), item });
      if (kept.length >= 1000 && kept.length > limit * 4) settle();
    },
    sorted() {
      settle();
      return kept.map(({ item }) => item);
    },
  };
}

/** The first `limit` items in order, sorted as by `createSorter`. */
export function sortItems<T>(items: Iterable<T>, docOf: (item: T) => Doc, sort: SortSpec, limit = Infinity): T[] {
  const sorter = createSorter(docOf, sort, limit);
  for (const item of items) sorter.add(item);
  return sorter.sorted();
}
