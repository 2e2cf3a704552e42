import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { TREE_FILE } from './damage.ts';
import { keyAfter } from './range.ts';
import type { Applied } from './redo-records.ts';
import { sealed, unsealed } from './seal.ts';

/** LMDB's B+ tree: one ordered key space. */
export type Tree = RootDatabase<Buffer, Buffer>;

/** The key under which the tree holds up to where the redo log is part of it. Sorts before all others. */
export const APPLIED = Buffer.of(0);
/** Number (8 bytes), seed (4). */
const APPLIED_BYTES = 12;
/** lmdb's flag for a transaction of its own. */
const OWN_TRANSACTION = 2;

/**
 * Takes a key or value out of the memory in which lmdb reads one after the other. lmdb's own encoding `binary` gives
 * each a piece of memory, which costs more than all else of a scan: Node's pool has room for many in one.
 */
function copyOf(bytes: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  // lmdb's buffers do not tell their true length, so `copy` would fail.
  copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start));
  return copy;
}

const KEYS = {
  writeKey(key: Buffer, target: Buffer, start: number): number {
    target.set(key, start);
    return start + key.length;
  },
  readKey: copyOf,
};
const VALUES = { encode: (value: Buffer) => value, decode: (bytes: Buffer) => copyOf(bytes, 0, bytes.length) };

/**
 * How much of the file LMDB maps into memory, in bytes: addresses alone, as long as the file is shorter. Each time it
 * outgrows them lmdb makes another map and keeps those before, and the process seems to hold the file several times.
 * Windows would make the file that long.
 */
const MAP_BYTES = 16 * 1024 ** 3;
export const LOCK_FILE = 'lock.mdb';
/** More than LMDB needs for its locks. */
const LOCK_BYTES = 12 * 1024;

/** More than LMDB writes when it makes its file, in bytes. */
const FIRST_BYTES = 64 * 1024;

/**
 * Makes the files, which LMDB would let others read. On a full disk lmdb kills the process when it makes its file, and
 * when it writes to that of its locks, which it maps into memory: so the one is tried before, and the other has its room
 * at once.
 */
function prepareFiles(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  prepareFile(join(folder, TREE_FILE), FIRST_BYTES, false);
  prepareFile(join(folder, LOCK_FILE), LOCK_BYTES, true);
}

/** @param keeps whether a new file keeps its room */
function prepareFile(path: string, bytes: number, keeps: boolean): void {
  const file = openSync(path, 'a', 0o600);
  try {
    if (fstatSync(file).size > 0) return;
    let isMade = false;
    try {
      writeFileSync(file, Buffer.alloc(bytes));
      isMade = true;
    } finally {
      if (!isMade || !keeps) ftruncateSync(file);
    }
  } finally {
    closeSync(file);
  }
}

/** @throws what LMDB, or the file system, throws when the folder cannot be used */
export function openTree(folder: string): Tree {
  prepareFiles(folder);
  // These are missing from lmdb's types.
  const options: Parameters<typeof open>[0] & { keyEncoder: object; encoder: object } = {
    path: folder,
    keyEncoder: KEYS,
    encoder: VALUES,
    cache: false,
    compression: false,
    noSubdir: false,
    ...(process.platform !== 'win32' && { mapSize: MAP_BYTES }),
    // With it, a thread that ends during a transaction would wait for that transaction for ever.
    overlappingSync: false,
  };
  return open<Buffer, Buffer>(options);
}

/** Whether what lies under `APPLIED` is the number alone: the values of the versions that wrote that have no seals. */
export function isOfEarlyVersion(length: number): boolean {
  return length < APPLIED_BYTES;
}

/** Up to where the redo log is part of the tree, and whether its values have seals. */
export function readApplied(tree: Tree): Applied & { hasSeals: boolean } {
  const value = tree.get(APPLIED);
  if (value === undefined) return { number: 0, seed: 0, hasSeals: true };
  if (isOfEarlyVersion(value.length)) return { number: value.readDoubleLE(0), seed: 0, hasSeals: false };
  const bytes = unsealed(APPLIED, value);
  return { number: bytes.readDoubleLE(0), seed: bytes.readUInt32LE(8), hasSeals: true };
}

/** Within a transaction. */
export function writeApplied(tree: Tree, { number, seed }: Applied): void {
  const bytes = Buffer.alloc(APPLIED_BYTES);
  bytes.writeDoubleLE(number);
  bytes.writeUInt32LE(seed, 8);
  tree.putSync(APPLIED, sealed(APPLIED, bytes));
}

/**
 * lmdb does not tell when a change fails, for example because the disk is full, but the transaction is lost then.
 * @throws Error in a transaction that is lost
 */
export function checkTransaction(tree: Tree): void {
  tree.doesExist(APPLIED);
}

/** Within a transaction: gives all values the seal that they lack. */
export function addSeals(tree: Tree): void {
  const PORTION = 1000;
  for (let start = keyAfter(APPLIED); ; ) {
    const entries = [...tree.getRange({ start, limit: PORTION })];
    for (const { key, value } of entries) tree.putSync(key, sealed(key, value));
    if (entries.length < PORTION) return;
    start = keyAfter(entries.at(-1)!.key);
  }
}

/** An open transaction, which all reads and writes of the thread go through. */
export interface Transaction {
  /** @throws what LMDB throws. The transaction has ended then without any effect. */
  commit(): void;
  abort(): void;
}

export function beginTransaction(tree: Tree): Transaction {
  let settle = () => {};
  let fail = (_error: Error) => {};
  // lmdb commits when what the action returns is settled, and accepts anything with a `then`.
  const unsettled = {
    // biome-ignore lint/suspicious/noThenProperty: a promise would settle later, when the thread may have ended
    then(onSettled: () => void, onFailed: (error: Error) => void) {
      settle = onSettled;
      fail = onFailed;
    },
  };
  tree.transactionSync(() => unsettled, OWN_TRANSACTION);
  const aborted = new Error('aborted');
  return {
    commit: () => settle(),
    abort() {
      try {
        fail(aborted);
      } catch (error) {
        if (error !== aborted) throw error;
      }
    },
  };
}
