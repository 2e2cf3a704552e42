import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { successor } from './keys.ts';

/** The longest key that LMDB stores, bytes. */
export const MAX_KEY = 1978;

/** A range of keys, from `low` (inclusive) to `high` (exclusive). */
export interface Range {
  low: Buffer;
  high: Buffer;
}

export interface Entry {
  key: Buffer;
  value: Buffer;
}

/**
 * The one ordered key space on disk. Writes happen inside `write` only; reads see the last commit, inside `write` also
 * what has been written so far.
 */
export interface Storage {
  get(key: Buffer): Buffer | undefined;
  has(key: Buffer): boolean;
  put(key: Buffer, value: Uint8Array): void;
  remove(key: Buffer): void;
  /** Up to `limit` entries of the range in order (`reverse`: from its end). */
  read(range: Range, reverse: boolean, limit: number): Entry[];
  keys(range: Range, limit: number): Buffer[];
  count(range: Range): number;
  /**
   * Runs `action` in the write transaction, together with whatever else is waiting (group commit). Resolves with its
   * result when it is flushed to disk. An action that throws is not rolled back: it has to check before it writes.
   */
  write<T>(action: () => T): Promise<T>;
  close(): Promise<void>;
}

/** Opens the storage in the folder. Throws what LMDB throws when the folder cannot be used. */
export function openStorage(folder: string): Storage {
  const db: RootDatabase<Buffer, Buffer> = open<Buffer, Buffer>(folder, {
    keyEncoding: 'binary',
    encoding: 'binary',
    cache: false,
    compression: false,
    noSubdir: false,
  });

  return {
    get: (key) => db.get(key),
    has: (key) => db.doesExist(key),
    put: (key, value) => db.putSync(key, value as Buffer),
    remove: (key) => {
      db.removeSync(key);
    },
    read: (range, reverse, limit) => [...db.getRange({ ...bounds(range, reverse), limit })],
    keys: (range, limit) => [...db.getKeys({ ...bounds(range, false), limit })],
    count: (range) => db.getKeysCount(bounds(range, false)),
    write: (action) => db.transaction(action),
    close: async () => {
      await db.flushed;
      await db.close();
    },
  };
}

function bounds({ low, high }: Range, reverse: boolean) {
  if (!reverse) return { start: low, end: high };
  return { start: high, end: low, reverse: true, exclusiveStart: true, inclusiveEnd: true };
}

/** All keys that begin with the prefix. */
export function under(prefix: Buffer): Range {
  return { low: prefix, high: successor(prefix) };
}
