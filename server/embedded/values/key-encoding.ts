import type { Binary, BSONRegExp, Double, Int32, ObjectId, Timestamp } from 'bson';
import { isLong } from './numbers.ts';
import { TYPE_ORDER, typeOrder } from './type-order.ts';

/*
 * Order-preserving keys: comparing two encodings byte by byte gives MongoDB's order of the values. The idea (a byte for
 * the type, values that end themselves, inverted bytes for descending fields) is that of MongoDB's KeyString
 * (src/mongo/db/storage/key_string.h). The bytes are our own.
 */

/** Ends every index key, so that none is a prefix of another. */
const END = 0x04;
const END_BYTES = Buffer.of(END);

/** All keys are written into this one buffer and copied from it. */
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

/** UTF-8 that ends with 00. A zero byte inside is 00 ff: whatever follows a text never begins with ff. */
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

function putUnsigned(bits: bigint): void {
  reserve(8);
  length = buffer.writeBigUInt64BE(bits, length);
}

const TWO_63 = 2 ** 63;

/**
 * A number is the nearest double at or below it and the distance from that, so that 64-bit integers between two doubles
 * keep their place. Positive doubles have their sign bit flipped, negative ones all bits. NaN comes first.
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
    case TYPE_ORDER.number:
      putNumber(value);
      break;
    case TYPE_ORDER.string:
      putText(value as string);
      break;
    case TYPE_ORDER.object:
      for (const [name, field] of Object.entries(value as object)) {
        putByte(typeOrder(field));
        putText(name);
        putValue(field);
      }
      putByte(0);
      break;
    case TYPE_ORDER.array:
      for (const element of value as unknown[]) putValue(element);
      putByte(0);
      break;
    case TYPE_ORDER.objectId:
      reserve(12);
      buffer.set((value as ObjectId).id, length);
      length += 12;
      break;
    case TYPE_ORDER.bool:
      putByte(value ? 1 : 0);
      break;
    case TYPE_ORDER.date:
      // With the sign bit flipped, dates before 1970 come first.
      putUnsigned(BigInt.asUintN(64, BigInt((value as Date).getTime())) ^ (1n << 63n));
      break;
    case TYPE_ORDER.timestamp:
      putUnsigned((value as Timestamp).toBigInt());
      break;
    case TYPE_ORDER.binary:
      putBinary(value as Binary);
      break;
    case TYPE_ORDER.regex:
      putText((value as BSONRegExp).pattern);
      putText((value as BSONRegExp).options);
      break;
  }
}

/** Binary data is ordered by length, then subtype, then bytes. */
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

/** Encodes one value. `Buffer.compare` orders the results as MongoDB orders the values. */
export function encodeValue(value: unknown): Buffer {
  length = 0;
  putValue(value);
  return taken();
}

/**
 * Encodes a whole index key behind `prefix`. It ends with a byte that the bounds of scans do not have.
 * @param directions 1 or -1 for each value
 */
export function encodeKey(prefix: Buffer, values: unknown[], directions: number[]): Buffer {
  length = 0;
  put(prefix);
  for (let index = 0; index < values.length; index++) putField(values[index], directions[index]!);
  putByte(END);
  return taken();
}

/** Makes a whole key of a bound that names a value for every field. */
export function completeKey(bound: Buffer): Buffer {
  return Buffer.concat([bound, END_BYTES]);
}

/**
 * Encodes the whole index keys of one document, each followed by `tail`. The values that all of them begin with are
 * encoded once.
 */
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
