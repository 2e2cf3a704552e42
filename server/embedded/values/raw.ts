/* Raw BSON taken apart at its top level, so that what nobody looks at is never decoded. Source: bsonspec.org. */
import { Fault } from './fault.ts';

/** The bytes that a value of each type always has. Those of `HAVE_LENGTH` begin with how many more there are. */
const BYTES: Record<number, number> = {
  1: 8,
  2: 4,
  3: 0,
  4: 0,
  5: 5,
  6: 0,
  7: 12,
  8: 1,
  9: 8,
  10: 0,
  12: 16,
  13: 4,
  14: 4,
  15: 0,
  16: 4,
  17: 8,
  18: 8,
  19: 16,
  127: 0,
  255: 0,
};
const HAVE_LENGTH = new Set([2, 3, 4, 5, 12, 13, 14, 15]);
const REGEX = 11;

/** A choice of top level fields. */
export interface Selection {
  names: Buffer[];
  /** Whether the named fields are taken, or all others. */
  isInclusion: boolean;
}

/** @param names of top level fields */
export function selectionOf(names: Iterable<string>, isInclusion: boolean): Selection {
  return { names: [...names].map((name) => Buffer.from(`${name}\0`)), isInclusion };
}

/**
 * The document with the chosen fields alone, in their order.
 * @throws Fault InvalidBSON
 */
export function select(raw: Buffer, { names, isInclusion }: Selection): Buffer {
  const selected = Buffer.allocUnsafe(raw.length);
  let length = 4;
  // Neighbours are copied together.
  let start = 4;
  let at = 4;
  for (const end = raw.length - 1; at < end; ) {
    const next = endOfField(raw, at);
    if (isNamed(raw, at + 1, names) !== isInclusion) {
      if (at > start) length += raw.copy(selected, length, start, at);
      start = next;
    }
    at = next;
  }
  if (at > start) length += raw.copy(selected, length, start, at);
  selected[length++] = 0;
  selected.writeInt32LE(length, 0);
  return selected.subarray(0, length);
}

function isNamed(raw: Buffer, at: number, names: Buffer[]): boolean {
  for (const name of names) {
    let same = 0;
    while (same < name.length && raw[at + same] === name[same]) same++;
    if (same === name.length) return true;
  }
  return false;
}

function endOfField(raw: Buffer, at: number): number {
  const type = raw[at]!;
  const value = endOfText(raw, at + 1);
  if (type === REGEX) return endOfText(raw, endOfText(raw, value));
  const bytes = BYTES[type];
  if (bytes === undefined) throw new Fault(22, `unknown BSON type ${type}`);
  return value + bytes + (HAVE_LENGTH.has(type) ? raw.readInt32LE(value) : 0);
}

/** Behind the zero that ends a text. */
function endOfText(raw: Buffer, start: number): number {
  let at = start;
  while (raw[at]! > 0) at++;
  return at + 1;
}
