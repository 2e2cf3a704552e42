import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { beginTransaction, LOCK_FILE, openTree, type Transaction, type Tree } from './tree.ts';

/** How much is copied in one transaction, in bytes. */
const PORTION = 16 * 1024 * 1024;

/**
 * Writes all entries of LMDB's file into a new one: without what was deleted, which LMDB leaves on free pages and between
 * the entries of the others. Nothing is taken from the list of free pages. Blocks until it is done.
 * @param from the folder of the file; nobody else may use it
 * @param to the folder of the new file, which must not have one
 * @throws what LMDB and the file system throw. The new file is of no use then
 */
export async function copyEntries(from: string, to: string): Promise<void> {
  const source = openTree(from);
  try {
    const target = openTree(to);
    try {
      copy(source, target);
    } finally {
      await target.close();
      rmSync(join(to, LOCK_FILE), { force: true });
    }
  } finally {
    await source.close();
  }
}

function copy(source: Tree, target: Tree): void {
  let transaction: Transaction | undefined;
  let bytes = 0;
  function commit(): void {
    const ended = transaction;
    transaction = undefined;
    ended?.commit();
  }

  try {
    for (const { key, value } of source.getRange({})) {
      transaction ??= beginTransaction(target);
      target.putSync(key, value, { append: true });
      bytes += key.length + value.length;
      if (bytes > PORTION) {
        commit();
        bytes = 0;
      }
    }
    commit();
  } finally {
    transaction?.abort();
  }
}
