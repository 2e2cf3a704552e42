import type { Binary, BSONRegExp, Timestamp } from 'bson';
import { Double, Int32, ObjectId } from 'bson';
import { Fault } from './errors.ts';
import { isDoc, isLong } from './values.ts';

/**
 * Order-preserving key encoding: comparing two encodings byte by byte gives MongoDB's comparison order of the values.
 * The idea (a byte for the type, values that end themselves, inverted bytes for descending fields) is that of
 * MongoDB's KeyString (src/mongo/db/storage/key_string.h); the bytes are our own.
 */
const order = {
  minKey: 0x01,
  /** An empty array in an index: MongoDB indexes it as `undefined`, below null. */
  emptyArray: 0x05,
  null: 0x0a,
  number: 0x14,
  string: 0x1e,
  object: 0x28,
  array: 0x32,
  binary: 0x3c,
  objectId: 0x46,
  bool: 0x50,
  date: 0x5a,
  timestamp: 0x64,
  regex: 0x6e,
  maxKey: 0xf0,
} as const;

/** Stands for an empty array among index key values. */
export const EMPTY_ARRAY = Symbol('empty array');

/** Ends every index key, so that no key is a prefix of another. */
const END = 0x04;
const END_BYTES = Buffer.of(END);

/** MongoDB's place of the value's type in the order across types, as the first byte of its encoding. */
export function typeOrder(value: unknown): number {
  if (value === undefined || value === null) return order.null;
  switch (typeof value) {
    case 'string':
      return order.string;
    case 'number':
      return order.number;
    case 'boolean':
      return order.bool;
    case 'symbol':
      return order.emptyArray;
  }
  if (Array.isArray(value)) return order.array;
  if (value instanceof Date) return order.date;
  if (isDoc(value)) return order.object;
  switch ((value as { _bsontype: string })._bsontype) {
    case 'Int32':
    case 'Double':
    case 'Long':
      return order.number;
    case 'ObjectId':
      return order.objectId;
    case 'Binary':
      return order.binary;
    case 'Timestamp':
      return order.timestamp;
    case 'BSONRegExp':
      return order.regex;
    case 'MinKey':
      return order.minKey;
    case 'MaxKey':
      return order.maxKey;
    default:
      throw new Fault(238, `the type ${(value as { _bsontype: string })._bsontype} cannot be compared or indexed here`);
  }
}

let buffer = Buffer.allocUnsafe(4096);
let length = 0;

function reserve(bytes: number): void {
  if (length + bytes <= buffer.length) return;
  const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, length + bytes));
  buffer.copy(larger, 0, 0, length);
  buffer = larger;
}

function putByte(byte: number): void {
  reserve(1);
  buffer[length++] = byte;
}

/** UTF-8, a zero byte as 00 ff, ended by 00: what follows never begins with ff. */
function putText(text: string): void {
  reserve(text.length * 3 + 1);
  if (text.includes('\0')) {
    for (const byte of Buffer.from(text)) {
      putByte(byte);
      if (byte === 0) putByte(0xff);
    }
  } else length += buffer.write(text, length, 'utf8');
  putByte(0);
}

function putSortable(bits: bigint, flipAll: boolean): void {
  reserve(8);
  length = buffer.writeBigUInt64BE(flipAll ? ~bits & 0xffffffffffffffffn : bits ^ (1n << 63n), length);
}

const TWO_63 = 2 ** 63;

/**
 * A number as the double at or below it and the rest to it: 64-bit integers between two doubles keep their place.
 * The sign bit is flipped for positive doubles, all bits for negative ones; NaN comes first.
 */
function putNumber(value: unknown): void {
  let double: number;
  let rest = 0;
  if (isLong(value)) {
    double = value.toNumber();
    if (!Number.isSafeInteger(double)) {
      const exact = value.toBigInt();
      if (double >= TWO_63 || BigInt(double) > exact) double = doubleBelow(double);
      rest = Number(exact - BigInt(double));
    }
  } else double = typeof value === 'number' ? value : (value as Int32 | Double).value;
  reserve(10);
  if (Number.isNaN(double)) {
    buffer.fill(0, length, length + 10);
    length += 10;
    return;
  }
  buffer.writeDoubleBE(double === 0 ? 0 : double, length);
  if (double < 0) for (let at = length; at < length + 8; at++) buffer[at] = ~buffer[at]! & 0xff;
  else buffer[length] = buffer[length]! ^ 0x80;
  length = buffer.writeUInt16BE(rest, length + 8);
}

function doubleBelow(double: number): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, double);
  view.setBigInt64(0, view.getBigInt64(0) + (double > 0 ? -1n : 1n));
  return view.getFloat64(0);
}

function putValue(value: unknown): void {
  const type = typeOrder(value);
  putByte(type);
  switch (type) {
    case order.number:
      putNumber(value);
      break;
    case order.string:
      putText(value as string);
      break;
    case order.object:
      for (const [name, field] of Object.entries(value as object)) {
        putByte(typeOrder(field));
        putText(name);
        putValue(field);
      }
      putByte(0);
      break;
    case order.array:
      for (const element of value as unknown[]) putValue(element);
      putByte(0);
      break;
    case order.objectId:
      reserve(12);
      buffer.set((value as ObjectId).id, length);
      length += 12;
      break;
    case order.bool:
      putByte(value ? 1 : 0);
      break;
    case order.date:
      putSortable(BigInt.asUintN(64, BigInt((value as Date).getTime())), false);
      break;
    case order.timestamp:
      putSortable((value as Timestamp).toBigInt() ^ (1n << 63n), false);
      break;
    case order.binary:
      putBinary(value as Binary);
      break;
    case order.regex:
      putText((value as BSONRegExp).pattern);
      putText((value as BSONRegExp).options);
      break;
  }
}

/** Binary data orders by length, then subtype, then bytes. */
function putBinary(value: Binary): void {
  const bytes = value.value();
  reserve(bytes.length + 5);
  length = buffer.writeUInt32BE(bytes.length, length);
  putByte(value.sub_type);
  buffer.set(bytes, length);
  length += bytes.length;
}

function put(bytes: Uint8Array): void {
  reserve(bytes.length);
  buffer.set(bytes, length);
  length += bytes.length;
}

function putField(value: unknown, direction: number): void {
  const start = length;
  putValue(value);
  if (direction < 0) invertFrom(start);
}

function invertFrom(start: number): void {
  for (let at = start; at < length; at++) buffer[at] = ~buffer[at]! & 0xff;
}

function taken(): Buffer {
  const key = Buffer.from(buffer.subarray(0, length));
  length = 0;
  return key;
}

/** Encodes one value, by itself comparable with `Buffer.compare`. */
export function encodeValue(value: unknown): Buffer {
  length = 0;
  putValue(value);
  return taken();
}

/**
 * Encodes an index key behind `prefix`; `directions` are 1 or -1 per field. It ends with a byte of its own, which bounds
 * do not have.
 */
export function encodeKey(prefix: Buffer, values: unknown[], directions: number[]): Buffer {
  length = 0;
  put(prefix);
  for (let index = 0; index < values.length; index++) putField(values[index], directions[index]!);
  putByte(END);
  return taken();
}

/** The whole key of a bound that names all its values. */
export function completeKey(bound: Buffer): Buffer {
  return Buffer.concat([bound, END_BYTES]);
}

/** Encodes complete index keys of one document, each followed by `tail`; what they begin with alike is encoded once. */
export function encodeKeys(prefix: Buffer, tuples: unknown[][], directions: number[], tail: Buffer): Buffer[] {
  const first = tuples[0] ?? [];
  let shared = 0;
  while (shared < first.length && tuples.every((values) => values[shared] === first[shared])) shared++;
  length = 0;
  put(prefix);
  for (let at = 0; at < shared; at++) putField(first[at], directions[at]!);
  const start = length;
  return tuples.map((values) => {
    length = start;
    for (let at = shared; at < values.length; at++) putField(values[at], directions[at]!);
    putByte(END);
    put(tail);
    return Buffer.from(buffer.subarray(0, length));
  });
}

/** The first byte string after all that begin with `bytes`. */
export function successor(bytes: Buffer): Buffer {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0xff) end--;
  const next = Buffer.from(bytes.subarray(0, end));
  if (end > 0) next[end - 1] = next[end - 1]! + 1;
  return next;
}

/** Compares two strings as MongoDB does, by their UTF-8 bytes (code points), where JavaScript goes by UTF-16 units. */
function compareText(a: string, b: string): number {
  const end = Math.min(a.length, b.length);
  for (let index = 0; index < end; index++) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left === right) continue;
    const bothHigh = left >= 0xd800 && right >= 0xd800;
    if (bothHigh && left < 0xe000 !== right < 0xe000) return left < 0xe000 ? 1 : -1;
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}

/** Compares two values in MongoDB's order across all types; missing counts as null. Negative, zero or positive. */
export function compare(a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : compareText(a, b);
  if ((a instanceof Int32 || a instanceof Double) && (b instanceof Int32 || b instanceof Double)) {
    if (a.value < b.value) return -1;
    if (a.value > b.value) return 1;
    if (a.value === b.value) return 0;
  } else if (a instanceof ObjectId && b instanceof ObjectId) return Buffer.compare(a.id, b.id);
  else if (a instanceof Date && b instanceof Date) return a.getTime() - b.getTime();
  const byType = typeOrder(a) - typeOrder(b);
  return byType !== 0 ? byType : Buffer.compare(encodeValue(a), encodeValue(b));
}
