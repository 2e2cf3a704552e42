/*
 * A checksum of what no entry vouches for: LMDB's meta page and its list of free pages. With damage there LMDB would
 * crash, or write over pages that are in use. It is written into a file of its own after every commit.
 */
import { closeSync, constants, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { checksum } from './checksum.ts';
import { damagedTree, TREE_FILE } from './damage.ts';
import { openTreeFile, type TreeFile } from './tree-file.ts';
import { createPages, type Pages } from './tree-pages.ts';

/** Transaction (8 bytes), checksum of the two above (4), checksum of the first 12 (4). */
const SUM_BYTES = 16;
const sumFile = (folder: string) => join(folder, 'data.sum');

/** Writes the checksum down. If that fails, the next start has one thing less to check. */
export function writeSum(folder: string): void {
  try {
    const file = openTreeFile(join(folder, TREE_FILE));
    if (file === undefined) return;
    const sum = Buffer.alloc(SUM_BYTES);
    try {
      sum.writeDoubleLE(file.meta.transaction);
      sum.writeUInt32LE(sumOf(file), 8);
    } finally {
      file.close();
    }
    sum.writeUInt32LE(checksum(sum, 0, 12), 12);
    const descriptor = openSync(sumFile(folder), constants.O_WRONLY | constants.O_CREAT, 0o600);
    writeSync(descriptor, sum, 0, SUM_BYTES, 0);
    closeSync(descriptor);
  } catch {}
}

/** Without it, the next start has one thing less to check. */
export function removeSum(folder: string): void {
  rmSync(sumFile(folder), { force: true });
}

/**
 * Compares the checksum with what was written down. A crash may have come between a commit and that.
 * @throws Error if they are of the same commit and differ, or a later commit was written down
 */
export function checkSum(folder: string, file: TreeFile): void {
  const sum = readSum(folder);
  if (sum === undefined) return;
  const transaction = sum.readDoubleLE(0);
  const isSame = transaction === file.meta.transaction;
  if (transaction > file.meta.transaction || (isSame && sum.readUInt32LE(8) !== sumOf(file))) {
    throw damagedTree('its meta page or list of free pages');
  }
}

function readSum(folder: string): Buffer | undefined {
  try {
    const sum = readFileSync(sumFile(folder));
    return sum.length === SUM_BYTES && sum.readUInt32LE(12) === checksum(sum, 0, 12) ? sum : undefined;
  } catch {
    return undefined;
  }
}

function sumOf(file: TreeFile): number {
  const { bytes, free } = file.meta;
  const pages = createPages(file);
  const start = checksum(bytes, 0, bytes.length);
  return free.root === undefined ? start : sumOfPages(pages, free.root, free.depth - 1, start);
}

/** @param before the checksum of what comes before */
function sumOfPages(pages: Pages, page: number, level: number, before: number): number {
  const nodes = pages.nodes(page, level);
  const { bytes } = nodes[0]!;
  let sum = checksum(bytes, 0, bytes.length, before);
  for (const node of nodes) {
    if (level > 0) sum = sumOfPages(pages, node.child, level - 1, sum);
    else if (node.largeSize !== undefined) {
      const { data } = pages.large(node);
      sum = checksum(data, 0, data.length, sum);
    }
  }
  return sum;
}
