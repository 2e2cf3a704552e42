import { type Range, successor } from '../storage/range.ts';
import { encodeValue } from '../values/key-encoding.ts';
import { isNumber, toNumber } from '../values/numbers.ts';
import { typeOrder } from '../values/type-order.ts';

/** A place in the order of encoded values: before or after all that begin with the bytes. */
interface Edge {
  bytes: Buffer;
  after: boolean;
}

/** The values between two edges. A point is one value. */
export interface Interval {
  low: Edge;
  high: Edge;
  isPoint: boolean;
}

/** The interval of one value. */
export function point(value: unknown): Interval {
  const bytes = encodeValue(value);
  return { low: { bytes, after: false }, high: { bytes, after: true }, isPoint: true };
}

/** The texts that begin with `text`. */
export function textsFrom(text: string): Interval {
  const bytes = encodeValue(text).subarray(0, -1);
  return { low: { bytes, after: false }, high: { bytes, after: true }, isPoint: false };
}

/** The values for which a comparison holds. Null and NaN equal only themselves, and have nothing above or below. */
export function comparisonIntervals(op: '$gt' | '$gte' | '$lt' | '$lte', operand: unknown): Interval[] {
  const inclusive = op === '$gte' || op === '$lte';
  if (operand === null || (isNumber(operand) && Number.isNaN(toNumber(operand)))) {
    return inclusive ? [point(operand)] : [];
  }
  const type = Buffer.of(typeOrder(operand));
  const bytes = encodeValue(operand);
  if (op === '$gt' || op === '$gte') {
    return [{ low: { bytes, after: !inclusive }, high: { bytes: type, after: true }, isPoint: false }];
  }
  const lowest = isNumber(operand) ? { bytes: encodeValue(Number.NaN), after: true } : { bytes: type, after: false };
  return [{ low: lowest, high: { bytes, after: inclusive }, isPoint: false }];
}

/** The points in order, each once. Sorts the given array. */
export function distinctPoints(points: Interval[]): Interval[] {
  points.sort((a, b) => Buffer.compare(a.low.bytes, b.low.bytes));
  return points.filter((each, at) => at === 0 || !each.low.bytes.equals(points[at - 1]!.low.bytes));
}

/** The intervals that both lists have in common. */
export function intersect(left: Interval[], right: Interval[]): Interval[] {
  const both: Interval[] = [];
  for (const a of left) {
    for (const b of right) {
      const low = Buffer.compare(position(a.low), position(b.low)) >= 0 ? a.low : b.low;
      const high = Buffer.compare(position(a.high), position(b.high)) <= 0 ? a.high : b.high;
      if (Buffer.compare(position(low), position(high)) < 0) both.push({ low, high, isPoint: a.isPoint || b.isPoint });
    }
  }
  return both;
}

function position({ bytes, after }: Edge): Buffer {
  return after ? successor(bytes) : bytes;
}

/** The interval as a range of keys behind `prefix`, in a field of the given direction. */
export function keyRange(prefix: Buffer, { low, high }: Interval, direction: number): Range {
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
