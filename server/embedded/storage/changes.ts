/*
 * The changes of a group of writes as bytes, for the redo log. For each change: the length of its key (2 bytes), the
 * length of its value (4 bytes), the key, and the value.
 */

/** The length that marks a removed key. */
const REMOVED = 0xffff_ffff;

export interface ChangeBuffer {
  /** Adds a change. Without a value the key is removed. */
  add(key: Buffer, value: Uint8Array | undefined): void;
  /** Empties the buffer. The result is valid until the next change is added. */
  take(): Uint8Array;
}

/** Gathers the changes of one group after the other in the same memory. */
export function createChangeBuffer(): ChangeBuffer {
  let bytes = Buffer.allocUnsafe(64 * 1024);
  let length = 0;
  return {
    add(key, value) {
      const end = length + 6 + key.length + (value?.length ?? 0);
      if (end > bytes.length) {
        const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, end));
        bytes.copy(larger, 0, 0, length);
        bytes = larger;
      }
      bytes.writeUInt16LE(key.length, length);
      bytes.writeUInt32LE(value?.length ?? REMOVED, length + 2);
      bytes.set(key, length + 6);
      if (value) bytes.set(value, length + 6 + key.length);
      length = end;
    },
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
    const keyEnd = at + 6 + changes.readUInt16LE(at);
    const length = changes.readUInt32LE(at + 2);
    const end = keyEnd + (length === REMOVED ? 0 : length);
    apply(changes.subarray(at + 6, keyEnd), length === REMOVED ? undefined : changes.subarray(keyEnd, end));
    at = end;
  }
}
