import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { forEachChange } from './changes.ts';
import { TREE_FILE } from './damage.ts';
import { openRedoLog, type RedoLog } from './redo-log.ts';
import { readRedoLog } from './redo-records.ts';
import { sealed } from './seal.ts';
import {
  addSeals,
  beginTransaction,
  checkTransaction,
  readApplied,
  type Transaction,
  type Tree,
  writeApplied,
} from './tree.ts';
import { cutOffUnused } from './tree-file.ts';
import { writeSum } from './tree-sum.ts';

/**
 * Checkpoints come at the latest after so many milliseconds, … The longer it takes, the more changes share the pages that
 * are written; the log bounds what a start after a crash has to do.
 */
const CHECKPOINT_MS = 30_000;
/** … so many changes, … */
const CHECKPOINT_CHANGES = 100_000;
/** … or so many bytes of log. */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;

/**
 * The long transaction that all writes go into. It stays open until a checkpoint commits it, so that a page that changes
 * often is written once. Until then its changes are on disk in the redo log.
 */
export interface Checkpoints {
  /** Opens the transaction, unless it is open. */
  begin(): void;
  /** Counts a change. */
  count(): void;
  /** Appends the changes of a group to the redo log. Resolves when they are on disk. */
  append(changes: Uint8Array): Promise<void>;
  /** Whether the transaction or the log has grown large. */
  isDue(): boolean;
  /**
   * Commits, if there are changes: nothing of the log is needed from then on. The first time it opens the log.
   * @throws what LMDB or the file system throws. `restore` must follow then.
   */
  commit(): void;
  /**
   * Goes back to what is on disk or on its way there: the tree, and the log on top of it.
   * @throws Error if the log is damaged
   */
  restore(): void;
  /** The last commit. If it fails, the log has everything. */
  end(): void;
  /** Waits for what is being written. */
  closeLog(): Promise<void>;
}

/**
 * @param onDue called when it is time for a commit
 * @param onLogFailure called when changes could not be appended
 * @param afterMs when the next checkpoint comes at the latest, in milliseconds
 */
export function createCheckpoints(
  tree: Tree,
  folder: string,
  onDue: () => void,
  onLogFailure: (error: Error) => void,
  afterMs = CHECKPOINT_MS,
): Checkpoints {
  const seed = randomBytes(4).readUInt32LE(0);
  let transaction: Transaction | undefined;
  let timer: NodeJS.Timeout | undefined;
  let log: RedoLog | undefined;
  /** The last record that an earlier run left behind. */
  let found = 0;
  let changes = 0;

  function begin(): void {
    if (transaction) return;
    transaction = beginTransaction(tree);
    timer = setTimeout(onDue, afterMs);
    changes = 0;
  }

  function take(): Transaction | undefined {
    const taken = transaction;
    transaction = undefined;
    clearTimeout(timer);
    return taken;
  }

  function commit(): void {
    if (changes === 0) take()?.abort();
    if (transaction) {
      writeApplied(tree, { number: log?.last() ?? found, seed });
      take()?.commit();
      writeSum(folder);
      log?.turn();
    }
    log ??= openRedoLog(folder, { number: found, seed }, onLogFailure);
  }

  return {
    begin,
    count() {
      changes++;
    },
    append: (bytes) => log!.append(bytes),
    isDue: () => changes > CHECKPOINT_CHANGES || log!.size() > CHECKPOINT_BYTES,
    commit,
    restore() {
      take()?.abort();
      cutOffUnused(join(folder, TREE_FILE));
      const applied = readApplied(tree);
      const records = readRedoLog(folder, applied, log?.durable());
      found = applied.number + records.length;
      begin();
      // The commit that follows says where the log begins.
      changes = 1;
      try {
        if (!applied.hasSeals) addSeals(tree);
        for (const record of [...records, ...(log?.underWay() ?? [])]) apply(tree, record, applied.hasSeals);
        checkTransaction(tree);
      } catch (error) {
        take()?.abort();
        throw error;
      }
    },
    end() {
      try {
        commit();
      } catch {
        take()?.abort();
      }
    },
    closeLog: async () => log?.close(),
  };
}

function apply(tree: Tree, record: Buffer, hasSeals: boolean): void {
  forEachChange(record, (key, value) => {
    if (value === undefined) tree.removeSync(key);
    else tree.putSync(key, hasSeals ? value : sealed(key, value));
  });
}
