import type { RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import { forEachChange } from './changes.ts';
import type { RedoLog } from './redo-log.ts';
import { readRedoLog } from './redo-records.ts';

/** LMDB's B+ tree: one ordered key space. */
export type Tree = RootDatabase<Buffer, Buffer>;

/** The key under which the tree holds the number of the last log record that is part of it. Sorts before all others. */
const APPLIED = Buffer.of(0);
/** Checkpoints come at the latest after so many milliseconds, … */
const CHECKPOINT_MS = 5000;
/** … so many changes, … */
const CHECKPOINT_CHANGES = 100_000;
/** … or so many bytes of log. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;
/** lmdb's flag for a transaction that will not be aborted. */
const NOT_ABORTABLE = 2;

/** @throws what LMDB throws when the folder cannot be used */
export function openTree(folder: string): Tree {
  return open<Buffer, Buffer>(folder, {
    keyEncoding: 'binary',
    encoding: 'binary',
    cache: false,
    compression: false,
    noSubdir: false,
    // With it, a thread that ends during a transaction would wait for that transaction for ever.
    overlappingSync: false,
  });
}

/**
 * Brings the tree up to date with the redo log.
 * @returns the number of the last record that is now part of the tree
 */
export function replay(tree: Tree, folder: string): number {
  const applied = tree.get(APPLIED)?.readDoubleLE(0) ?? 0;
  const missing = readRedoLog(folder, applied);
  if (missing.length === 0) return applied;
  const last = applied + missing.length;
  tree.transactionSync(() => {
    for (const changes of missing) {
      forEachChange(changes, (key, value) => (value ? tree.putSync(key, value) : tree.removeSync(key)));
    }
    tree.putSync(APPLIED, numberBytes(last));
  });
  return last;
}

/**
 * The long transaction that all writes go into. It stays open until a checkpoint commits it, so that a page that changes
 * often is written once.
 */
export interface Checkpoints {
  /** Opens the transaction, unless it is open. */
  begin(): void;
  /** Counts a change. */
  count(): void;
  /** Commits if the transaction has grown large. */
  commitIfDue(): void;
  /** Commits, if a transaction is open. From then on nothing of the log is needed. */
  commit(): void;
}

/** @param fail called if a commit fails: memory and disk then differ */
export function createCheckpoints(tree: Tree, log: RedoLog, fail: (error: Error) => void): Checkpoints {
  let transaction: { commit(): void; timer: NodeJS.Timeout } | undefined;
  let changes = 0;

  const commit = (): void => {
    if (!transaction) return;
    const { commit: settle, timer } = transaction;
    clearTimeout(timer);
    tree.putSync(APPLIED, numberBytes(log.last()));
    transaction = undefined;
    changes = 0;
    try {
      settle();
      log.turn();
    } catch (error) {
      fail(error as Error);
    }
  };

  return {
    begin() {
      transaction ??= { commit: beginTransaction(tree), timer: setTimeout(commit, CHECKPOINT_MS) };
    },
    count() {
      changes++;
    },
    commitIfDue() {
      if (changes > CHECKPOINT_CHANGES || log.size() > CHECKPOINT_BYTES) commit();
    },
    commit,
  };
}

/** Opens a transaction and returns its commit. */
function beginTransaction(tree: Tree): () => void {
  let commit = () => {};
  // lmdb commits when what the action returns is settled, and accepts anything with a `then`.
  const unsettled = {
    // biome-ignore lint/suspicious/noThenProperty: a promise would settle later, when the thread may have ended
    then: (settle: () => void) => {
      commit = settle;
    },
  };
  tree.transactionSync(() => unsettled, NOT_ABORTABLE);
  return () => commit();
}

function numberBytes(number: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(number);
  return bytes;
}
