import { Int32, Long } from 'bson';
import type { Batch } from './cursors.ts';
import { encode } from './values.ts';

/**
 * Encodes the reply to `find`, `aggregate` and `getMore` by hand, so that stored documents go out as they are:
 * `{ cursor: { firstBatch | nextBatch: [...], id, ns }, ok: 1 }`. Source of the layout: bsonspec.org.
 */
export function encodeBatch({ docs, id, namespace, first }: Batch): Uint8Array {
  const tail = encode({ id, ns: namespace }).subarray(4);
  const ok = encode({ ok: 1 }).subarray(4);
  const names = docs.map((_, at) => Buffer.from(`\x03${at}\0`));
  const arrayName = Buffer.from(`\x04${first ? 'firstBatch' : 'nextBatch'}\0`);
  const cursorName = Buffer.from('\x03cursor\0');
  const arrayLength = docs.reduce((sum, doc, at) => sum + doc.length + names[at]!.length, 5);
  const cursorLength = 4 + arrayName.length + arrayLength + tail.length;
  const length = 4 + cursorName.length + cursorLength + ok.length;
  const reply = Buffer.allocUnsafe(length);
  let at = reply.writeInt32LE(length, 0);
  const put = (bytes: Uint8Array) => {
    reply.set(bytes, at);
    at += bytes.length;
  };
  put(cursorName);
  at = reply.writeInt32LE(cursorLength, at);
  put(arrayName);
  at = reply.writeInt32LE(arrayLength, at);
  for (const [index, doc] of docs.entries()) {
    put(names[index]!);
    put(doc);
  }
  at = reply.writeUInt8(0, at);
  put(tail);
  put(ok);
  return reply;
}

/** A number that drivers expect as a 32-bit integer. */
export const int = (number: number): Int32 => new Int32(number);
/** A number that drivers expect as a 64-bit integer. */
export const long = (number: number): Long => Long.fromNumber(number);
