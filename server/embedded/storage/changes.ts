/*
 * The changes of a group of writes as bytes, for the redo log. For each change: the length of its key (2 bytes), the
 * length of its value (4 bytes), the key, and the value with its seal.
 */
import { checksum } from './checksum.ts';
import { SEAL } from './seal.ts';

/** The length that marks a removed key. */
const REMOVED = 0xffff_ffff;
const HEADER = 6;

export interface ChangeBuffer {
  /** Adds a change. Returns the value with its seal, which is valid until the next change is added. */
  put(key: Buffer, value: Uint8Array): Buffer;
  remove(key: Buffer): void;
  /** Empties the buffer. The result is valid until the next change is added. */
  take(): Uint8Array;
}

/** Gathers the changes of one group after the other in the same memory. */
export function createChangeBuffer(): ChangeBuffer {
  let bytes = Buffer.allocUnsafe(64 * 1024);
  let length = 0;

  /** Adds the lengths and the key. Returns where the value begins. */
  function begin(key: Buffer, valueLength: number, room: number): number {
    const end = length + HEADER + key.length + room;
    if (end > bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, end));
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
    }
    bytes.writeUInt16LE(key.length, length);
    bytes.writeUInt32LE(valueLength, length + 2);
    bytes.set(key, length + HEADER);
    const start = length + HEADER + key.length;
    length = end;
    return start;
  }

  return {
    put(key, value) {
      const size = value.length + SEAL;
      const start = begin(key, size, size);
      bytes.set(value, start);
      // The key lies before the value, so this is the checksum of both.
      bytes.writeUInt32LE(checksum(bytes, start - key.length, length - SEAL), length - SEAL);
      return bytes.subarray(start, length);
    },
    remove: (key) => void begin(key, REMOVED, 0),
    take() {
      const taken = bytes.subarray(0, length);
      length = 0;
      return taken;
    },
  };
}

/** Reads what a `ChangeBuffer` gathered. */
export function forEachChange(changes: Buffer, apply: (key: Buffer, value: Buffer | undefined) => void): void {
  for (let at = 0; at < changes.length; ) {
    const keyEnd = at + HEADER + changes.readUInt16LE(at);
    const length = changes.readUInt32LE(at + 2);
    const end = keyEnd + (length === REMOVED ? 0 : length);
    apply(changes.subarray(at + HEADER, keyEnd), length === REMOVED ? undefined : changes.subarray(keyEnd, end));
    at = end;
  }
}
