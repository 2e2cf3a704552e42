import { Fault } from '../values/fault.ts';
import { HEADER } from './format.ts';

/**
 * Splits a byte stream into messages. Each call takes a chunk and returns the messages that it completes.
 * @param longest the longest message that may come now, in bytes
 * @throws Fault ProtocolError for a length that no message has
 */
export function createSplitter(longest: () => number): (chunk: Buffer) => Buffer[] {
  let chunks: Buffer[] = [];
  let size = 0;
  return (chunk) => {
    chunks.push(chunk);
    size += chunk.length;
    const messages: Buffer[] = [];
    while (size >= 4) {
      if (chunks[0]!.length < 4) chunks = [Buffer.concat(chunks)];
      const length = chunks[0]!.readInt32LE(0);
      if (length < HEADER + 5 || length > longest()) throw new Fault(17, `invalid message length ${length}`);
      if (size < length) break;
      const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      messages.push(all.subarray(0, length));
      chunks = all.length === length ? [] : [all.subarray(length)];
      size -= length;
    }
    return messages;
  };
}
