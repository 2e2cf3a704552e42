import type { Condition } from '../query/filter.ts';
import type { Index } from '../storage/collection.ts';
import { type Range, under } from '../storage/range.ts';
import { boundsOf } from './bounds.ts';
import { type Interval, keyRange, pointBytes } from './intervals.ts';

/** The most ranges of a scan. Points of several fields multiply: a field that would exceed this is left to the filter. */
const MAX_RANGES = 4000;

/** The part of an index that conditions leave to scan. */
export interface IndexBounds {
  ranges: Range[];
  /** For each range, the offsets in its keys at which fields begin: those bound to points, and the one after them. */
  fieldStarts: number[][];
  /** How many fields, from the first, are bound to points. */
  points: number;
  /** The fields that are bound to one value. */
  constant: Set<string>;
  /** The conditions that bound the scan. */
  bounding: Set<Condition>;
  /** Those of them that need no further test. */
  answered: Set<Condition>;
  score: number;
}

interface Prefix {
  bytes: Buffer;
  starts: number[];
}

/**
 * Bounds an index: its first fields to points, as far as there are equalities for them, and the next field to a range.
 */
export function indexBounds(index: Index, conditions: Condition[]): IndexBounds {
  let prefixes: Prefix[] = [{ bytes: index.prefix, starts: [index.prefix.length] }];
  const bounds: IndexBounds = {
    ranges: [],
    fieldStarts: [],
    points: 0,
    constant: new Set(),
    bounding: new Set(),
    answered: new Set(),
    score: 0,
  };
  let ranges: Range[] | undefined;
  let metArray = false;
  for (const [at, path] of index.paths.entries()) {
    const isMultikey = index.multikey[at]!;
    // Fields below the same array: different elements may meet their conditions.
    if (metArray && isMultikey) break;
    const onField = boundsOf(
      conditions.filter((condition) => condition.path === path),
      isMultikey,
    );
    if (onField === undefined || prefixes.length * onField.intervals.length > MAX_RANGES) break;
    if (isMultikey) metArray = true;
    for (const condition of onField.answered) bounds.answered.add(condition);
    for (const condition of onField.used) bounds.bounding.add(condition);
    const direction = index.directions[at]!;
    const intervals = direction > 0 ? onField.intervals : onField.intervals.toReversed();
    if (intervals.every(({ isPoint }) => isPoint)) {
      bounds.score += 10 - Math.min(intervals.length - 1, 3);
      if (intervals.length === 1) bounds.constant.add(path);
      prefixes = prefixes.flatMap((prefix) => intervals.map((interval) => extended(prefix, interval, direction)));
      bounds.points++;
    } else {
      bounds.score += 4;
      ranges = prefixes.flatMap(({ bytes }) => intervals.map((interval) => keyRange(bytes, interval, direction)));
      prefixes = prefixes.flatMap((prefix) => intervals.map(() => prefix));
      break;
    }
  }
  bounds.ranges = ranges ?? prefixes.map(({ bytes }) => under(bytes));
  bounds.fieldStarts = prefixes.map(({ starts }) => starts);
  return bounds;
}

function extended({ bytes, starts }: Prefix, interval: Interval, direction: number): Prefix {
  const longer = Buffer.concat([bytes, pointBytes(interval, direction)]);
  return { bytes: longer, starts: [...starts, longer.length] };
}
