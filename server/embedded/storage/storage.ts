import { createCopying, removeCopy } from './copy.ts';
import { openWrites, type StorageOptions } from './durable-writes.ts';
import type { Range } from './range.ts';
import { unsealed } from './seal.ts';
import { openTree } from './tree.ts';
import { checkTree } from './tree-check.ts';

/** The longest key that LMDB stores, in bytes. */
export const MAX_KEY = 1978;

export interface Entry {
  key: Buffer;
  value: Buffer;
}

/** The one ordered key space on disk. Writes happen only inside `write`; reads see them at once. */
export interface Storage {
  get(key: Buffer): Buffer | undefined;
  has(key: Buffer): boolean;
  put(key: Buffer, value: Uint8Array): void;
  remove(key: Buffer): void;
  /** Up to `limit` entries of the range in order. With `reverse` from its end. */
  read(range: Range, reverse: boolean, limit: number): Entry[];
  keys(range: Range, limit: number): Buffer[];
  count(range: Range): number;
  /**
   * Runs `action` together with whatever else waits (group commit). Resolves with its result once everything it wrote
   * or can have seen is on disk. An action that throws is not rolled back, so it must check before it writes. If the
   * disk is full, the promise rejects with the Fault OutOfDiskSpace and nothing of the group is stored. If the disk
   * fails in another way, the thread ends.
   */
  write<T>(action: () => T): Promise<T>;
  /**
   * Writes a copy of everything that is acknowledged into `copyFolder(folder)`. Reads and writes go on meanwhile.
   * @throws Fault OutOfDiskSpace while writes are refused, ConflictingOperationInProgress while another copy is made
   */
  copy(): Promise<void>;
  /**
   * Ends what is open in LMDB, at once. Nothing can be written afterwards. A thread that ends without this or `close`
   * hangs for ever: lmdb waits for the lock of the open transaction.
   */
  release(): void;
  close(): Promise<void>;
}

/**
 * Opens the storage in the folder and brings the tree up to date with the redo log.
 * @throws Error if a file is damaged, and what LMDB or the file system throws when the folder cannot be used
 */
export function openStorage(folder: string, options: StorageOptions = {}): Storage {
  checkTree(folder);
  const tree = openTree(folder);
  const { put, remove, write, checkpoint, release, close } = openWrites(tree, folder, options);
  const copying = createCopying(tree, folder);
  removeCopy(folder);
  return {
    get(key) {
      const value = tree.get(key);
      return value && unsealed(key, value);
    },
    has: (key) => tree.doesExist(key),
    put,
    remove,
    read(range, reverse, limit) {
      const entries: Entry[] = [];
      for (const { key, value } of tree.getRange({ ...bounds(range, reverse), limit })) {
        entries.push({ key, value: unsealed(key, value) });
      }
      return entries;
    },
    keys: (range, limit) => [...tree.getKeys({ ...bounds(range, false), limit })],
    count: (range) => tree.getKeysCount(bounds(range, false)),
    write,
    async copy() {
      checkpoint();
      await copying.copy();
    },
    release,
    async close() {
      await copying.idle();
      await close();
      await tree.close();
    },
  };
}

function bounds({ low, high }: Range, reverse: boolean) {
  if (!reverse) return { start: low, end: high };
  return { start: high, end: low, reverse: true, exclusiveStart: true, inclusiveEnd: true };
}
