/*
 * Every value in the tree ends with a seal: the checksum of its key and itself. A start checks all of them
 * (`tree-check.ts`), and so does each read.
 */
import { checksum } from './checksum.ts';
import { damagedTree } from './damage.ts';

/** The length of a seal, in bytes. */
export const SEAL = 4;

/** The value with its seal. */
export function sealed(key: Uint8Array, value: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(value.length + SEAL);
  bytes.set(value);
  bytes.writeUInt32LE(sealOf(key, value), value.length);
  return bytes;
}

/**
 * The value without its seal.
 * @throws Error if the entry is not as it was written
 */
export function unsealed(key: Uint8Array, value: Buffer): Buffer {
  const end = value.length - SEAL;
  if (end < 0) throw damagedTree('an entry');
  const bytes = value.subarray(0, end);
  if (value.readUInt32LE(end) !== sealOf(key, bytes)) throw damagedTree('an entry');
  return bytes;
}

/** Whether a key with its value and seal behind it is as it was written. */
export function isSealed(bytes: Buffer, start: number, end: number): boolean {
  return end - SEAL >= start && bytes.readUInt32LE(end - SEAL) === checksum(bytes, start, end - SEAL);
}

function sealOf(key: Uint8Array, value: Uint8Array): number {
  return checksum(value, 0, value.length, checksum(key, 0, key.length));
}
