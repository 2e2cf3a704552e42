import { type Doc, encode } from '../values/document.ts';
import { HEADER, OP_MSG, OP_QUERY, OP_REPLY } from './format.ts';
import type { Message } from './message.ts';

/** The answer to a message, given the encoded reply document. */
export function writeReply({ requestId, opCode }: Pick<Message, 'requestId' | 'opCode'>, reply: Uint8Array): Buffer {
  const before = opCode === OP_MSG ? 5 : 20;
  const bytes = Buffer.alloc(HEADER + before);
  bytes.writeInt32LE(bytes.length + reply.length, 0);
  bytes.writeInt32LE(requestId, 8);
  bytes.writeInt32LE(opCode === OP_MSG ? OP_MSG : OP_REPLY, 12);
  if (opCode === OP_QUERY) bytes.writeInt32LE(1, HEADER + 16);
  return Buffer.concat([bytes, reply]);
}

/** The last answer on a connection that ends with an error; undefined if the message does not say whom to answer. */
export function writeError(bytes: Buffer, reply: Doc): Buffer | undefined {
  if (bytes.length < HEADER || bytes.readInt32LE(12) !== OP_MSG) return undefined;
  return writeReply({ requestId: bytes.readInt32LE(4), opCode: OP_MSG }, encode(reply));
}
