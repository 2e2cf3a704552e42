import { type Doc, decodeKeepingRaw } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { HEADER, OP_MSG, OP_QUERY } from './format.ts';

const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;
/** The flags that a server must know, or refuse the message. */
const REQUIRED_FLAGS = 0xffff;

/** A command as it came: its name, its fields, and the documents that came in a section of their own. */
export interface CommandRequest {
  name: string;
  database: string;
  body: Doc;
  /** The documents of an `insert`, as raw BSON. */
  documents: Uint8Array[];
}

/** A command, and how to answer it. */
export interface Message {
  requestId: number;
  opCode: typeof OP_QUERY | typeof OP_MSG;
  request: CommandRequest;
  /** The client wants no answer. */
  isSilent: boolean;
}

/** A section with a sequence of documents. */
interface Sequence {
  name: string;
  documents: Buffer[];
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
    if (opCode === OP_QUERY) return { requestId, opCode, request: readQuery(bytes), isSilent: false };
  } catch (error) {
    throw error instanceof Fault ? error : new Fault(22, `malformed message: ${String(error)}`);
  }
  throw new Fault(17, `unsupported operation ${opCode}`);
}

function readMsg(bytes: Buffer): Pick<Message, 'request' | 'isSilent'> {
  const flags = bytes.readUInt32LE(HEADER);
  if ((flags & REQUIRED_FLAGS & ~(CHECKSUM_PRESENT | MORE_TO_COME)) !== 0) {
    throw new Fault(17, `unknown flag bits ${flags}`);
  }
  const end = bytes.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
  let body: Doc | undefined;
  const sequences: Sequence[] = [];
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
  return { request: requestOf(body, sequences), isSilent: (flags & MORE_TO_COME) !== 0 };
}

function readSequence(section: Buffer): Sequence {
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

function requestOf(body: Doc, sequences: Sequence[]): CommandRequest {
  let documents: Uint8Array[] = [];
  if (Array.isArray(body.documents) && body.documents.every((each) => each instanceof Uint8Array)) {
    documents = body.documents;
  }
  for (const sequence of sequences) {
    if (sequence.name === 'documents') documents = sequence.documents;
    else body[sequence.name] = sequence.documents.map((raw) => decodeKeepingRaw(raw, ''));
  }
  if (typeof body.$db !== 'string') throw new Fault(40571, 'OP_MSG requests require a $db argument');
  return { name: commandName(body), database: body.$db, body, documents };
}

/** Reads the legacy message with which drivers may begin. Only the greeting comes this way. */
function readQuery(bytes: Buffer): CommandRequest {
  const nameEnd = bytes.indexOf(0, HEADER + 4);
  const namespace = bytes.toString('utf8', HEADER + 4, nameEnd);
  const start = nameEnd + 1 + 8;
  const raw = bytes.subarray(start, start + bytes.readInt32LE(start));
  const body = decodeKeepingRaw(raw, 'documents');
  const name = commandName(body);
  if (!namespace.endsWith('.$cmd') || !['hello', 'isMaster', 'ismaster'].includes(name)) {
    throw new Fault(17, 'only hello may come as OP_QUERY');
  }
  return { name, database: namespace.slice(0, -5), body, documents: [] };
}

/** The name of a command is that of its first field. */
function commandName(body: Doc): string {
  return Object.keys(body)[0] ?? '';
}
