/** Reads a file here and there through a small window, never the whole of it. Synchronous: for worker threads. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Bytes read at a time, and the most that can be asked for at once. */
const WINDOW_BYTES = 16 * 1024;

export interface RandomAccess {
  /** Bytes of the file. */
  size: number;
  /** @returns the bytes at an offset, fewer at the end of the file; they are valid until the next call */
  read(offset: number, length: number): Buffer;
}

/** Opens a file for as long as `use` runs. @returns what `use` returns */
export function withFile<T>(file: string, use: (bytes: RandomAccess) => T): T {
  const descriptor = openSync(file, 'r');
  try {
    return use(windowed(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** The window moves to whatever is asked for outside it. */
function windowed(descriptor: number): RandomAccess {
  const { size } = fstatSync(descriptor);
  const window = Buffer.alloc(WINDOW_BYTES);
  let [start, length] = [0, 0];
  return {
    size,
    read(offset, wanted) {
      const end = Math.min(offset + wanted, size);
      if (offset >= end) return window.subarray(0, 0);
      if (offset < start || end > start + length) {
        start = offset;
        length = readSync(descriptor, window, 0, WINDOW_BYTES, start);
      }
      return window.subarray(offset - start, Math.min(end - start, length));
    },
  };
}
