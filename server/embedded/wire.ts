import type { Request } from './commands/command.ts';
import { Fault } from './errors.ts';
import type { Doc } from './values.ts';
import { decodeKeepingRaw, encode } from './values.ts';

/** Source of everything here: MongoDB manual, "MongoDB Wire Protocol". */
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

const HEADER = 16;
/** The largest message, bytes; `hello` announces it. */
const MAX_MESSAGE = 48_000_000;

const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
const REQUIRED_BITS = 0xffff;

/** A message: its command, and how to answer it. */
export interface Message {
  requestId: number;
  opCode: typeof OP_QUERY | typeof OP_MSG;
  request: Request;
  /** The client wants no answer. */
  silent: boolean;
}

/**
 * Splits a byte stream into messages. Feed it chunks; it returns the complete messages so far.
 * @throws Fault ProtocolError for a length that no message has
 */
export function createSplitter(): (chunk: Buffer) => Buffer[] {
  let chunks: Buffer[] = [];
  let size = 0;
  return (chunk) => {
    chunks.push(chunk);
    size += chunk.length;
    const messages: Buffer[] = [];
    while (size >= 4) {
      if (chunks[0]!.length < 4) chunks = [Buffer.concat(chunks)];
      const length = chunks[0]!.readInt32LE(0);
      if (length < HEADER + 5 || length > MAX_MESSAGE) throw new Fault(17, `invalid message length ${length}`);
      if (size < length) break;
      const all = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
      messages.push(all.subarray(0, length));
      chunks = all.length === length ? [] : [all.subarray(length)];
      size -= length;
    }
    return messages;
  };
}

/**
 * Reads a message.
 * @throws Fault ProtocolError or InvalidBSON: the connection cannot go on after that
 */
export function readMessage(bytes: Buffer): Message {
  const requestId = bytes.readInt32LE(4);
  const opCode = bytes.readInt32LE(12);
  try {
    if (opCode === OP_MSG) return { requestId, opCode, ...readMsg(bytes) };
    if (opCode === OP_QUERY) return { requestId, opCode, request: readQuery(bytes), silent: false };
  } catch (error) {
    throw error instanceof Fault ? error : new Fault(22, `malformed message: ${String(error)}`);
  }
  throw new Fault(17, `unsupported operation ${opCode}`);
}

function readMsg(bytes: Buffer): { request: Request; silent: boolean } {
  const flags = bytes.readUInt32LE(HEADER);
  if ((flags & REQUIRED_BITS & ~(CHECKSUM_PRESENT | MORE_TO_COME)) !== 0)
    throw new Fault(17, `unknown flag bits ${flags}`);
  const end = bytes.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  let body: Doc | undefined;
  const sequences: { name: string; documents: Buffer[] }[] = [];
  for (let at = HEADER + 4; at < end; ) {
    const kind = bytes[at]!;
    const length = bytes.readInt32LE(at + 1);
    const section = bytes.subarray(at + 1, at + 1 + length);
    if (length < 5 || at + 1 + length > end) throw new Fault(17, 'a section is longer than its message');
    if (kind === 0 && body === undefined) body = decodeKeepingRaw(section, 'documents');
    else if (kind === 1) sequences.push(readSequence(section));
    else throw new Fault(17, `unknown section kind ${kind}`);
    at += 1 + length;
  }
  if (body === undefined) throw new Fault(17, 'a message without a body');
  return { request: requestOf(body, sequences), silent: (flags & MORE_TO_COME) !== 0 };
}

function readSequence(section: Buffer): { name: string; documents: Buffer[] } {
  const nameEnd = section.indexOf(0, 4);
  const documents: Buffer[] = [];
  for (let at = nameEnd + 1; at < section.length; ) {
    const length = section.readInt32LE(at);
    if (length < 5 || at + length > section.length) throw new Fault(22, 'a document is longer than its sequence');
    documents.push(section.subarray(at, at + length));
    at += length;
  }
  return { name: section.toString('utf8', 4, nameEnd), documents };
}

function requestOf(body: Doc, sequences: { name: string; documents: Buffer[] }[]): Request {
  const name = Object.keys(body)[0] ?? '';
  let documents: Uint8Array[] = [];
  if (Array.isArray(body.documents) && body.documents.every((each) => each instanceof Uint8Array)) {
    documents = body.documents;
  }
  for (const sequence of sequences) {
    if (sequence.name === 'documents') documents = sequence.documents;
    else body[sequence.name] = sequence.documents.map((raw) => decodeKeepingRaw(raw, ''));
  }
  if (typeof body.$db !== 'string') throw new Fault(40571, 'OP_MSG requests require a $db argument');
  return { name, database: body.$db, body, documents };
}

/** The legacy message that drivers may still begin with; only `hello` and its kin come this way. */
function readQuery(bytes: Buffer): Request {
  const nameEnd = bytes.indexOf(0, HEADER + 4);
  const namespace = bytes.toString('utf8', HEADER + 4, nameEnd);
  const start = nameEnd + 1 + 8;
  const raw = bytes.subarray(start, start + bytes.readInt32LE(start));
  const body = decodeKeepingRaw(raw, 'documents');
  const name = Object.keys(body)[0] ?? '';
  if (!namespace.endsWith('.$cmd') || !['hello', 'isMaster', 'ismaster'].includes(name)) {
    throw new Fault(17, 'only hello may come as OP_QUERY');
  }
  return { name, database: namespace.slice(0, -5), body, documents: [] };
}

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

/** An error that ends the connection is still answered, if the message said to whom. */
export function writeError(bytes: Buffer, reply: Doc): Buffer | undefined {
  if (bytes.length < HEADER || bytes.readInt32LE(12) !== OP_MSG) return undefined;
  return writeReply({ requestId: bytes.readInt32LE(4), opCode: OP_MSG }, encode(reply));
}
