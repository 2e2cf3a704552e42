import { createChangeBuffer } from './changes.ts';
import { createGroupCommit } from './group-commit.ts';
import type { Range } from './range.ts';
import { openRedoLog } from './redo-log.ts';
import { createCheckpoints, openTree, replay } from './tree.ts';

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
   * disk fails, the promise rejects and the thread ends.
   */
  write<T>(action: () => T): Promise<T>;
  /**
   * Ends what is open in LMDB, at once. Nothing can be written afterwards. A thread that ends without this or `close`
   * hangs for ever: lmdb waits for the lock of the open transaction.
   */
  release(): void;
  close(): Promise<void>;
}

/**
 * Opens the storage in the folder and brings the tree up to date with the redo log.
 * @throws what LMDB or the file system throws when the folder cannot be used
 */
export function openStorage(folder: string): Storage {
  const tree = openTree(folder);
  const log = openRedoLog(folder, replay(tree, folder));
  const checkpoints = createCheckpoints(tree, log, fail);
  const changes = createChangeBuffer();
  const group = createGroupCommit(checkpoints.begin, () => {
    const appended = log.append(changes.take());
    checkpoints.commitIfDue();
    appended.catch(fail);
    return appended;
  });

  return {
    get: (key) => tree.get(key),
    has: (key) => tree.doesExist(key),
    put(key, value) {
      tree.putSync(key, value as Buffer);
      changes.add(key, value);
      checkpoints.count();
    },
    remove(key) {
      tree.removeSync(key);
      changes.add(key, undefined);
      checkpoints.count();
    },
    read: (range, reverse, limit) => [...tree.getRange({ ...bounds(range, reverse), limit })],
    keys: (range, limit) => [...tree.getKeys({ ...bounds(range, false), limit })],
    count: (range) => tree.getKeysCount(bounds(range, false)),
    write: group.write,
    release() {
      group.stop();
      checkpoints.commit();
    },
    async close() {
      checkpoints.commit();
      await log.close();
      await tree.close();
    },
  };
}

/** Ends the thread. Memory and disk differ: only a new start, from the log, brings them together again. */
function fail(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}

function bounds({ low, high }: Range, reverse: boolean) {
  if (!reverse) return { start: low, end: high };
  return { start: high, end: low, reverse: true, exclusiveStart: true, inclusiveEnd: true };
}
