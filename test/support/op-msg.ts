/** MongoDB's wire messages, as far as a proxy between a driver and a server must read them. */
import { BSON, type Document } from 'mongodb';

const HEADER = 16;
const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
/** A flag of OP_MSG. */
const MORE_TO_COME = 2;
/** Keeps the types of numbers, so that what is written again is what was read. */
const EXACT = { promoteValues: false, promoteBuffers: false } as const;

/** A command as a driver sent it. */
export interface WireCommand {
  /** `insert`, `find` … */
  name: string;
  /** The collection that it names. */
  collection: string;
  /** Its fields, documents in sections of their own included. */
  body: Document;
}

interface Section {
  kind: number;
  bytes: Buffer;
}

/** Cuts a stream into messages. @returns a function that takes chunks and gives back whole messages */
export function createSplitter(): (chunk: Buffer) => Buffer[] {
  let pending: Buffer = Buffer.alloc(0);
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const whole: Buffer[] = [];
    while (pending.length >= HEADER && pending.length >= pending.readInt32LE(0)) {
      const length = pending.readInt32LE(0);
      whole.push(pending.subarray(0, length));
      pending = pending.subarray(length);
    }
    return whole;
  };
}

export const requestIdOf = (message: Buffer) => message.readInt32LE(4);
export const responseToOf = (message: Buffer) => message.readInt32LE(8);

/** Whether a reply follows: not for writes that nobody waits for (`w: 0`). */
export const expectsReply = (message: Buffer) =>
  message.readInt32LE(12) !== OP_MSG || (message.readUInt32LE(HEADER) & MORE_TO_COME) === 0;

/** The name of a command, without decoding the rest: that of the first field. */
export function nameOf(message: Buffer): string {
  const isQuery = message.readInt32LE(12) === OP_QUERY;
  const body = isQuery ? queryOf(message) : sectionsOf(message).find(({ kind }) => kind === 0)!.bytes;
  // After the length of the document and the type of the field.
  return body.toString('utf8', 5, body.indexOf(0, 5));
}

export function readCommand(message: Buffer): WireCommand {
  const body = message.readInt32LE(12) === OP_QUERY ? BSON.deserialize(queryOf(message)) : bodyOf(message);
  const [[name, collection]] = Object.entries(body) as [[string, unknown]];
  return { name, collection: String(collection), body };
}

function bodyOf(message: Buffer): Document {
  const body: Document = {};
  for (const { kind, bytes } of sectionsOf(message)) {
    if (kind === 0) {
      Object.assign(body, BSON.deserialize(bytes));
      continue;
    }
    const nameEnd = bytes.indexOf(0, 4);
    const documents: Document[] = [];
    for (let at = nameEnd + 1; at < bytes.length; at += bytes.readInt32LE(at)) {
      documents.push(BSON.deserialize(bytes.subarray(at, at + bytes.readInt32LE(at))));
    }
    body[bytes.toString('utf8', 4, nameEnd)] = documents;
  }
  return body;
}

function sectionsOf(message: Buffer): Section[] {
  const end = message.length - (message.readUInt32LE(HEADER) & 1 ? 4 : 0);
  const sections: Section[] = [];
  for (let at = HEADER + 4; at < end; ) {
    const length = message.readInt32LE(at + 1);
    sections.push({ kind: message[at]!, bytes: message.subarray(at + 1, at + 1 + length) });
    at += 1 + length;
  }
  return sections;
}

/** The message without some fields of its command. */
export function withoutFields(message: Buffer, fields: string[]): Buffer {
  if (message.readInt32LE(12) !== OP_MSG) return message;
  const sections = sectionsOf(message).flatMap(({ kind, bytes }) => {
    if (kind !== 0) return [Buffer.of(kind), bytes];
    const body = BSON.deserialize(bytes, EXACT);
    for (const field of fields) delete body[field];
    return [Buffer.of(kind), Buffer.from(BSON.serialize(body))];
  });
  const content = Buffer.concat([message.subarray(HEADER, HEADER + 4), ...sections]);
  content.writeUInt32LE(content.readUInt32LE(0) & ~1, 0);
  return withHeader(message, content);
}

/** The document that a server replied with. */
export function readReply(message: Buffer): Document {
  return BSON.deserialize(replyOf(message));
}

/** The reply with other fields. */
export function withFields(message: Buffer, fields: Document): Buffer {
  const reply = { ...BSON.deserialize(replyOf(message), EXACT), ...fields };
  const before = message.readInt32LE(12) === OP_REPLY ? 20 : 5;
  return withHeader(message, Buffer.concat([message.subarray(HEADER, HEADER + before), BSON.serialize(reply)]));
}

/** A reply to a command that came as OP_MSG. */
export function replyTo(request: Buffer, reply: Document): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeInt32LE(requestIdOf(request), 8);
  header.writeInt32LE(OP_MSG, 12);
  return withHeader(header, Buffer.concat([Buffer.alloc(5), BSON.serialize(reply)]));
}

function queryOf(message: Buffer): Buffer {
  return message.subarray(message.indexOf(0, HEADER + 4) + 9);
}

function replyOf(message: Buffer): Buffer {
  return message.subarray(HEADER + (message.readInt32LE(12) === OP_REPLY ? 20 : 5));
}

function withHeader(like: Buffer, content: Buffer): Buffer {
  const header = Buffer.from(like.subarray(0, HEADER));
  header.writeInt32LE(HEADER + content.length, 0);
  return Buffer.concat([header, content]);
}
