import { constants } from 'node:os';
import { createChangeBuffer } from './changes.ts';
import { createCheckpoints } from './checkpoints.ts';
import { createGroupCommit } from './group-commit.ts';
import { createRefusal } from './refusal.ts';
import { checkTransaction, type Tree } from './tree.ts';

export interface StorageOptions {
  /** Writes are refused, and why; with undefined: they are taken again. */
  onRefusing?(reason: string | undefined): void;
  /** What writes had changed that then failed is undone. */
  onRestored?(): void;
  /** With less than this free on the disk, in bytes, writes are refused. Default 0: as long as the disk takes them. */
  reserveBytes?: number;
  /** When what was written is part of the tree on disk at the latest, in milliseconds. */
  checkpointMs?: number;
}

/** Writes to the tree that are on disk once they are acknowledged, and undone if they cannot be. */
export interface DurableWrites {
  put(key: Buffer, value: Uint8Array): void;
  remove(key: Buffer): void;
  /** As `Storage.write`. */
  write<T>(action: () => T): Promise<T>;
  /**
   * Makes all that was written part of the tree on disk.
   * @throws Fault OutOfDiskSpace while writes are refused
   */
  checkpoint(): void;
  /** As `Storage.release`. */
  release(): void;
  close(): Promise<void>;
}

const { ENOSPC, EDQUOT, EIO } = constants.errno;
/**
 * The codes of a full disk. LMDB gives numbers: a write cut short is EIO to it, and a transaction that has lost a page
 * before the commit is MDB_BAD_TXN.
 */
const FULL_DISK = new Set<unknown>(['ENOSPC', 'EDQUOT', ENOSPC, EDQUOT, EIO, -30782]);
function isFullDisk(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code !== undefined && FULL_DISK.has(code);
}

/**
 * Brings the tree up to date with the redo log, and takes writes. On a full disk it refuses them.
 * @throws Error if the log is damaged, and what LMDB or the file system throws
 */
export function openWrites(tree: Tree, folder: string, options: StorageOptions): DurableWrites {
  const changes = createChangeBuffer();
  const { checkpoints, refusal, commit, undo } = openCheckpoints(tree, folder, options);
  const group = createGroupCommit(begin, persist);

  function begin(): void {
    refusal.check();
    checkpoints.begin();
  }

  async function persist(): Promise<void> {
    const written = changes.take();
    try {
      checkTransaction(tree);
    } catch (error) {
      undo(error);
      refusal.check();
    }
    const appended = checkpoints.append(written);
    if (checkpoints.isDue()) commit();
    await appended.catch((error: unknown) => {
      refusal.check();
      throw error;
    });
  }

  return {
    put(key, value) {
      tree.putSync(key, changes.put(key, value));
      checkpoints.count();
    },
    remove(key) {
      tree.removeSync(key);
      changes.remove(key);
      checkpoints.count();
    },
    write: group.write,
    checkpoint() {
      refusal.check();
      commit();
      refusal.check();
    },
    release() {
      group.stop();
      refusal.stop();
      checkpoints.end();
    },
    async close() {
      refusal.stop();
      checkpoints.end();
      await checkpoints.closeLog();
    },
  };
}

/** The checkpoints, and what becomes of them on a full disk. */
function openCheckpoints(tree: Tree, folder: string, options: StorageOptions) {
  const { onRefusing, onRestored, reserveBytes = 0, checkpointMs } = options;
  const checkpoints = createCheckpoints(tree, folder, commit, undo, checkpointMs);
  const refusal = createRefusal(folder, reserveBytes, commitOrRestore, (reason) => onRefusing?.(reason));

  function commitOrRestore(): void {
    try {
      checkpoints.commit();
    } catch (error) {
      if (!isFullDisk(error)) throw error;
      checkpoints.restore();
      refusal.begin(error as Error);
      throw error;
    }
  }

  function commit(): void {
    if (refusal.hasFailed()) return;
    try {
      commitOrRestore();
    } catch (error) {
      if (!refusal.hasFailed()) fail(error);
    }
  }

  /** What is not on disk and cannot get there is undone. */
  function undo(error: unknown): void {
    try {
      if (!isFullDisk(error)) throw error;
      checkpoints.restore();
      onRestored?.();
      refusal.begin(error as Error);
    } catch (fatal) {
      fail(fatal);
    }
  }

  checkpoints.restore();
  try {
    commitOrRestore();
  } catch (error) {
    if (!refusal.hasFailed()) throw error;
  }
  return { checkpoints, refusal, commit, undo };
}

/** Ends the thread. Memory and disk differ: only a new start, from the log, brings them together again. */
function fail(error: unknown): void {
  setImmediate(() => {
    throw error;
  });
}
