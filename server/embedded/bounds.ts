import { BSONRegExp } from 'bson';
import { encodeValue, successor, typeOrder } from './keys.ts';
import type { Condition } from './match.ts';
import { isNumber, toNumber } from './values.ts';

/** A place in the order of encoded values: before or after all that begin with the bytes. */
interface Edge {
  bytes: Buffer;
  after: boolean;
}

/** The values between two edges; a point is one value. */
export interface Interval {
  low: Edge;
  high: Edge;
  point: boolean;
}

/** Where values that meet the conditions lie, in ascending order. */
export interface Bounds {
  intervals: Interval[];
  /** The conditions that made the bounds. */
  used: Condition[];
  /** Those of them that need no further test. */
  answered: Set<Condition>;
}

/**
 * The bounds that conditions on one field give for an index over it. On a field with arrays (`multikey`) two
 * conditions may be met by different elements: only one of them can bound the scan.
 * @returns undefined if no condition bounds the field
 */
export function boundsOf(conditions: Condition[], multikey: boolean): Bounds | undefined {
  const bounded = conditions.flatMap((condition) => {
    const intervals = intervalsOf(condition);
    return intervals === undefined ? [] : [{ condition, intervals }];
  });
  if (bounded.length === 0) return undefined;
  bounded.sort((a, b) => rank(a.intervals) - rank(b.intervals));
  const used = multikey ? bounded.slice(0, 1) : bounded;
  return {
    intervals: used.map((each) => each.intervals).reduce(intersect),
    used: used.map((each) => each.condition),
    answered: new Set(used.map((each) => each.condition).filter(isExact)),
  };
}

function rank(intervals: Interval[]): number {
  return intervals.every((interval) => interval.point) ? intervals.length : 1_000_000;
}

/** Whether the index answers the condition alone: null also finds missing fields, and some of these do not match. */
function isExact({ op, operand }: Condition): boolean {
  if (op === '$in') return !(operand as unknown[]).includes(null);
  if (op === '$regex') return literalPrefix(operand)?.whole === true;
  return operand !== null;
}

function intervalsOf({ op, operand }: Condition): Interval[] | undefined {
  switch (op) {
    case '$eq':
      return isBoundable(operand) ? [point(operand)] : undefined;
    case '$in': {
      const values = operand as unknown[];
      return values.every(isBoundable) ? distinct(values.map(point)) : undefined;
    }
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return isBoundable(operand) ? comparisonInterval(op, operand) : undefined;
    case '$regex': {
      const prefix = literalPrefix(operand);
      if (prefix === undefined) return undefined;
      const bytes = encodeValue(prefix.text).subarray(0, -1);
      return [{ low: { bytes, after: false }, high: { bytes, after: true }, point: false }, point(operand)];
    }
    default:
      return undefined;
  }
}

function isBoundable(value: unknown): boolean {
  if (value === undefined || Array.isArray(value) || value instanceof BSONRegExp) return false;
  if (typeof value !== 'object' || value === null || !('_bsontype' in value)) return true;
  return value._bsontype !== 'MinKey' && value._bsontype !== 'MaxKey';
}

function point(value: unknown): Interval {
  const bytes = encodeValue(value);
  return { low: { bytes, after: false }, high: { bytes, after: true }, point: true };
}

function distinct(points: Interval[]): Interval[] {
  points.sort((a, b) => Buffer.compare(a.low.bytes, b.low.bytes));
  return points.filter((each, at) => at === 0 || !each.low.bytes.equals(points[at - 1]!.low.bytes));
}

/** Comparisons stay within the operand's type; NaN is only equal to itself, null only to null. */
function comparisonInterval(op: '$gt' | '$gte' | '$lt' | '$lte', operand: unknown): Interval[] {
  const inclusive = op === '$gte' || op === '$lte';
  if (operand === null || (isNumber(operand) && Number.isNaN(toNumber(operand)))) {
    return inclusive ? [point(operand)] : [];
  }
  const type = Buffer.of(typeOrder(operand));
  const bytes = encodeValue(operand);
  if (op === '$gt' || op === '$gte') {
    return [{ low: { bytes, after: !inclusive }, high: { bytes: type, after: true }, point: false }];
  }
  const lowest = isNumber(operand) ? { bytes: encodeValue(Number.NaN), after: true } : { bytes: type, after: false };
  return [{ low: lowest, high: { bytes, after: inclusive }, point: false }];
}

/** The text that every match of an anchored, case-sensitive expression begins with; `whole` if that is all it says. */
function literalPrefix(operand: unknown): { text: string; whole: boolean } | undefined {
  if (!(operand instanceof BSONRegExp)) return undefined;
  const { pattern, options } = operand;
  if (options !== '' || !pattern.startsWith('^') || pattern.includes('|')) return undefined;
  let text = '';
  let at = 1;
  while (at < pattern.length) {
    const escaped = pattern[at] === '\\';
    const char = pattern[escaped ? at + 1 : at];
    if (char === undefined || (escaped ? /[A-Za-z0-9]/ : /[\^$.?*+()[\]{}]/).test(char)) break;
    const next = at + (escaped ? 2 : 1);
    if (/[?*{]/.test(pattern[next] ?? '')) break;
    text += char;
    at = next;
  }
  // Cut within a character it would be no text: a star behind an emoji, for example.
  if (text === '' || !text.isWellFormed()) return undefined;
  return { text, whole: at === pattern.length };
}

function position({ bytes, after }: Edge): Buffer {
  return after ? successor(bytes) : bytes;
}

function intersect(left: Interval[], right: Interval[]): Interval[] {
  const both: Interval[] = [];
  for (const a of left) {
    for (const b of right) {
      const low = Buffer.compare(position(a.low), position(b.low)) >= 0 ? a.low : b.low;
      const high = Buffer.compare(position(a.high), position(b.high)) <= 0 ? a.high : b.high;
      if (Buffer.compare(position(low), position(high)) < 0) both.push({ low, high, point: a.point || b.point });
    }
  }
  return both;
}

/** The interval as a range of keys behind `prefix`, in a field of the given direction. */
export function keyRange(prefix: Buffer, { low, high }: Interval, direction: number): { low: Buffer; high: Buffer } {
  const edge = (bytes: Buffer, after: boolean): Buffer => {
    const key = Buffer.concat([prefix, bytes]);
    return after ? successor(key) : key;
  };
  if (direction > 0) return { low: edge(low.bytes, low.after), high: edge(high.bytes, high.after) };
  return { low: edge(inverted(high.bytes), !high.after), high: edge(inverted(low.bytes), !low.after) };
}

/** The bytes of a point in a field of the given direction. */
export function pointBytes({ low }: Interval, direction: number): Buffer {
  return direction > 0 ? low.bytes : inverted(low.bytes);
}

function inverted(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => ~byte & 0xff));
}
