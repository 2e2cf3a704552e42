import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { successor } from './keys.ts';
import { openRedoLog, readRedoLog } from './redo-log.ts';

/** The longest key that LMDB stores, bytes. */
export const MAX_KEY = 1978;

/** Where the tree says which record of the log it holds already; before all keys of collections and indexes. */
const APPLIED = Buffer.of(0);
/** The tree takes over what was written at the latest after so long, ms, … */
const CHECKPOINT_MS = 5000;
/** … so many changes, … */
const CHECKPOINT_CHANGES = 100_000;
/** … or so much log, bytes. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;
/** What waits for longer goes with the next group, ms: those before it are answered meanwhile. */
const LONGEST_GROUP_MS = 4;
/** lmdb: a transaction that is not to be aborted. */
const NOT_ABORTABLE = 2;

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
 * The one ordered key space on disk. Writes happen inside `write` only; reads see at once what was written.
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
   * Runs `action` together with whatever else is waiting (group commit). Resolves with its result when what it wrote,
   * and all that it can have seen, is on disk. An action that throws is not rolled back: it has to check before it
   * writes. Where the disk fails, it rejects and this thread ends.
   */
  write<T>(action: () => T): Promise<T>;
  /**
   * Ends what is open in LMDB, at once; nothing can be written any more. A thread that ends without this, or `close`,
   * hangs for ever: lmdb waits there for the lock that the open transaction holds.
   */
  release(): void;
  close(): Promise<void>;
}

interface Waiting {
  run(): void;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Opens the storage in the folder, and brings the tree up to what the log says.
 * @throws what LMDB or the file system throws when the folder cannot be used
 */
export function openStorage(folder: string): Storage {
  const db: RootDatabase<Buffer, Buffer> = open<Buffer, Buffer>(folder, {
    keyEncoding: 'binary',
    encoding: 'binary',
    cache: false,
    compression: false,
    noSubdir: false,
    // With it, a thread that ends while a transaction is open would wait for that transaction for ever.
    overlappingSync: false,
  });

  let applied = db.get(APPLIED)?.readDoubleLE(0) ?? 0;
  const missing = readRedoLog(folder, applied);
  if (missing.length > 0) {
    applied += missing.length;
    db.transactionSync(() => {
      for (const changes of missing) {
        forEachChange(changes, (key, value) => (value ? db.putSync(key, value) : db.removeSync(key)));
      }
      db.putSync(APPLIED, numberBytes(applied));
    });
  }
  const log = openRedoLog(folder, applied);

  const changes = collectChanges();
  let waiting: Waiting[] = [];
  /** The tree's transaction stays open until a checkpoint, for a page that is changed again is then written once. */
  let transaction: { commit(): void; timer: NodeJS.Timeout } | undefined;
  let changed = 0;
  let released = false;

  function begin(): void {
    let commit = () => {};
    // lmdb commits when what the action returns is settled, and takes anything with a `then` for that.
    const unsettled = {
      // biome-ignore lint/suspicious/noThenProperty: a promise would settle later, when the thread may have ended
      then: (settle: () => void) => {
        commit = settle;
      },
    };
    db.transactionSync(() => unsettled, NOT_ABORTABLE);
    transaction = { commit, timer: setTimeout(checkpoint, CHECKPOINT_MS) };
  }

  /** Commits the tree: what the log has up to here is not needed any more. */
  function checkpoint(): void {
    if (!transaction) return;
    const { commit, timer } = transaction;
    clearTimeout(timer);
    db.putSync(APPLIED, numberBytes(log.last()));
    transaction = undefined;
    changed = 0;
    try {
      commit();
      log.turn();
    } catch (error) {
      fail(error as Error);
    }
  }

  /** What is in memory and what is on disk have parted: only a new start, from the log, brings them together again. */
  function fail(error: Error): void {
    setImmediate(() => {
      throw error;
    });
  }

  function runGroup(): void {
    if (released) return;
    if (!transaction) begin();
    const until = performance.now() + LONGEST_GROUP_MS;
    let count = 0;
    while (count < waiting.length && performance.now() < until) waiting[count++]!.run();
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    if (waiting.length > 0) setImmediate(runGroup);
    log.append(changes.take()).then(
      () => {
        for (const { resolve } of group) resolve();
      },
      (error: Error) => {
        for (const { reject } of group) reject(error);
        fail(error);
      },
    );
    if (changed > CHECKPOINT_CHANGES || log.size() > CHECKPOINT_BYTES) checkpoint();
  }

  return {
    get: (key) => db.get(key),
    has: (key) => db.doesExist(key),
    put(key, value) {
      db.putSync(key, value as Buffer);
      changes.add(key, value);
      changed++;
    },
    remove(key) {
      db.removeSync(key);
      changes.add(key, undefined);
      changed++;
    },
    read: (range, reverse, limit) => [...db.getRange({ ...bounds(range, reverse), limit })],
    keys: (range, limit) => [...db.getKeys({ ...bounds(range, false), limit })],
    count: (range) => db.getKeysCount(bounds(range, false)),
    write<T>(action: () => T): Promise<T> {
      return new Promise((resolve, reject) => {
        let settle = () => {};
        waiting.push({
          run() {
            try {
              const result = action();
              settle = () => resolve(result);
            } catch (error) {
              settle = () => reject(error);
            }
          },
          resolve: () => settle(),
          reject,
        });
        if (waiting.length === 1) setImmediate(runGroup);
      });
    },
    release() {
      released = true;
      checkpoint();
    },
    async close() {
      checkpoint();
      await log.close();
      await db.close();
    },
  };
}

/** Gathers changes as bytes: for each the length of its key (2 bytes), that of its value (4; none: removed), both. */
function collectChanges() {
  let bytes = Buffer.allocUnsafe(64 * 1024);
  let length = 0;
  return {
    add(key: Buffer, value: Uint8Array | undefined): void {
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
    /** What was gathered; valid until the next one is added. */
    take(): Uint8Array {
      const taken = bytes.subarray(0, length);
      length = 0;
      return taken;
    },
  };
}

const REMOVED = 0xffff_ffff;

/** Reads what `collectChanges` gathered. */
function forEachChange(changes: Buffer, apply: (key: Buffer, value: Buffer | undefined) => void): void {
  for (let at = 0; at < changes.length; ) {
    const keyEnd = at + 6 + changes.readUInt16LE(at);
    const length = changes.readUInt32LE(at + 2);
    const end = keyEnd + (length === REMOVED ? 0 : length);
    apply(changes.subarray(at + 6, keyEnd), length === REMOVED ? undefined : changes.subarray(keyEnd, end));
    at = end;
  }
}

function numberBytes(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(number);
  return bytes;
}

function bounds({ low, high }: Range, reverse: boolean) {
  if (!reverse) return { start: low, end: high };
  return { start: high, end: low, reverse: true, exclusiveStart: true, inclusiveEnd: true };
}

/** All keys that begin with the prefix. */
export function under(prefix: Buffer): Range {
  return { low: prefix, high: successor(prefix) };
}
