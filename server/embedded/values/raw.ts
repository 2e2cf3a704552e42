/*
 * Raw BSON taken apart at its top level, so that what nobody looks at is never decoded. `onDemand` is called experimental;
 * MongoDB's driver reads every reply by it.
 */
import { onDemand } from 'bson';

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
 * @throws BSONError if it is not BSON
 */
export function select(raw: Buffer, { names, isInclusion }: Selection): Buffer {
  const selected = Buffer.allocUnsafe(raw.length);
  let length = 4;
  // Neighbours are copied together.
  let start = 4;
  let end = 4;
  for (const [, name, , value, size] of onDemand.parseToElements(raw)) {
    if (isNamed(raw, name, names) !== isInclusion) {
      if (end > start) length += raw.copy(selected, length, start, end);
      start = value + size;
    }
    end = value + size;
  }
  if (end > start) length += raw.copy(selected, length, start, end);
  selected[length++] = 0;
  selected.writeInt32LE(length, 0);
  return selected.subarray(0, length);
}

function isNamed(raw: Buffer, at: number, names: Buffer[]): boolean {
  return names.some((name) => {
    let same = 0;
    while (same < name.length && raw[at + same] === name[same]) same++;
    return same === name.length;
  });
}
