/**
 * Writes LMDB's file anew without its free pages: they keep what was deleted, and take up room. It is done at a start,
 * when nothing else uses the file.
 */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { copyEntries } from './copy-entries.ts';
import { damageBy, TREE_FILE } from './damage.ts';
import { isFreeListSound } from './free-list.ts';
import { LOCK_FILE } from './tree.ts';
import { checkTree } from './tree-check.ts';
import { isKnownLayout, META_PAGES, openTreeFile, type TreeFile } from './tree-file.ts';
import { removeSum, writeSum } from './tree-sum.ts';

/** Files up to this size are written anew whenever they have free pages, in bytes: that takes some tenths of a second. */
const SMALL_BYTES = 64 * 1024 * 1024;
/** Larger ones when so much of them is free. */
const FREE_SHARE = 0.1;
/** Where the new file is made. */
const NEW_FOLDER = 'compacted';

/**
 * Compacts the file in the folder, if that is due. Where it cannot be done, for example because the disk has no room for
 * a second file, everything stays as it is. A crash at any moment leaves the old file or the new one.
 * @throws Error if the file is damaged, or was written by LMDB 3 and cannot be written anew
 */
export async function compactTree(folder: string): Promise<void> {
  const made = join(folder, NEW_FOLDER);
  // What a crash has left.
  rmSync(made, { recursive: true, force: true });
  const state = stateOf(join(folder, TREE_FILE));
  if (!state.isDue) return;
  checkTree(folder);
  try {
    await copyEntries(folder, made);
    checkTree(made);
    syncFile(join(made, TREE_FILE));
    replace(folder, join(made, TREE_FILE));
  } catch (error) {
    const { message } = error as Error;
    if (!state.isListSound) throw new Error(`${TREE_FILE} in DATA_DIR is of an earlier version: ${message}`);
    process.emitWarning(`the database was not compacted: ${message}`);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

function stateOf(path: string): { isDue: boolean; isListSound: boolean } {
  const file = isKnownLayout && existsSync(path) ? openTreeFile(path) : undefined;
  if (file === undefined) return { isDue: false, isListSound: true };
  try {
    const isListSound = isFreeListSound(file);
    return { isDue: !isListSound || isWorthIt(file), isListSound };
  } catch (error) {
    throw damageBy(error);
  } finally {
    file.close();
  }
}

function isWorthIt(file: TreeFile): boolean {
  const all = file.meta.lastPage + 1;
  const free = all - pagesInUse(file);
  return free > 0 && (all * file.pageSize <= SMALL_BYTES || free / all >= FREE_SHARE);
}

/** Without those of the list of free pages itself. */
function pagesInUse({ meta: { main } }: TreeFile): number {
  return META_PAGES + main.branchPages + main.leafPages + main.overflowPages;
}

/** The checksum and LMDB's bookkeeping are those of the old file, so they go first. */
function replace(folder: string, file: string): void {
  removeSum(folder);
  rmSync(join(folder, LOCK_FILE), { force: true });
  syncFile(folder);
  renameSync(file, join(folder, TREE_FILE));
  syncFile(folder);
  writeSum(folder);
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
