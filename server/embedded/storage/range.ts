/** A range of keys, from `low` (inclusive) to `high` (exclusive). */
export interface Range {
  low: Buffer;
  high: Buffer;
}

/** All keys that begin with the prefix. */
export function under(prefix: Buffer): Range {
  return { low: prefix, high: successor(prefix) };
}

/** The first key after all that begin with `bytes`. */
export function successor(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0xff) end--;
  const next = Buffer.from(bytes.subarray(0, end));
  if (end > 0) next[end - 1] = next[end - 1]! + 1;
  return next;
}

/** The first key after `key`. */
export function keyAfter(key: Buffer): Buffer {
  return Buffer.concat([key, ZERO]);
}

const ZERO = Buffer.of(0);
