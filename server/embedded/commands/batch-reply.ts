import { computed } from '../plan/found.ts';
import type { Batch } from '../storage/cursors.ts';
import type { Engine } from '../storage/engine.ts';
import { type Doc, encode } from '../values/document.ts';
import { countField, docField } from './fields.ts';

/**
 * Encodes the reply of `find`, `aggregate` and `getMore` by hand, so that stored documents go out as they are:
 * `{ cursor: { firstBatch | nextBatch: [...], id, ns }, ok: 1 }`. Source of the layout: bsonspec.org.
 */
export function encodeBatch({ docs, id, namespace, isFirst }: Batch): Uint8Array {
  const tail = encode({ id, ns: namespace }).subarray(4);
  const ok = encode({ ok: 1 }).subarray(4);
  const names = docs.map((_, at) => Buffer.from(`\x03${at}\0`));
  const arrayName = Buffer.from(`\x04${isFirst ? 'firstBatch' : 'nextBatch'}\0`);
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

/** The reply of a command that lists things as a cursor. */
export function listReply(engine: Engine, namespace: string, docs: Doc[], body: Doc): Uint8Array {
  const batchSize = countField(docField(body, 'cursor') ?? {}, 'batchSize');
  return encodeBatch(engine.cursors.open(namespace, docs.map(computed), batchSize));
}
