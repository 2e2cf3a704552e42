/**
 * A check of LMDB's file before LMDB opens it: LMDB trusts what it reads, and would crash on damage or go on without a
 * part of the data. Every page that can be reached must be where it belongs, keys must ascend, counts must add up, and
 * every entry must have its seal. What is on free pages does not matter.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { damageBy, damagedTree, TREE_FILE } from './damage.ts';
import { segmentFiles } from './redo-records.ts';
import { isSealed, unsealed } from './seal.ts';
import { APPLIED, isOfEarlyVersion } from './tree.ts';
import { isKnownLayout, openTreeFile, type TreeFile, type TreeRoot } from './tree-file.ts';
import { createPages, type Node, type Pages, type Span } from './tree-pages.ts';
import { checkSum } from './tree-sum.ts';

/** A difference below zero says that `a` comes first. */
type Compare = (a: Span, b: Span) => number;

/**
 * Checks the tree's file in the folder.
 * @throws Error if it is damaged, and what the file system throws
 */
export function checkTree(folder: string): void {
  const path = join(folder, TREE_FILE);
  if (!existsSync(path) || statSync(path).size === 0) {
    if (segmentFiles(folder).some((segment) => existsSync(segment))) throw damagedTree('it is missing or empty');
    return;
  }
  if (!isKnownLayout) return;
  const file = openTreeFile(path);
  if (file === undefined) throw damagedTree('its first pages');
  try {
    checkPages(file);
    checkSum(folder, file);
  } catch (error) {
    throw damageBy(error);
  } finally {
    file.close();
  }
}

function checkPages(file: TreeFile): void {
  const pages = createPages(file);
  const { free, main } = file.meta;
  checkOne(pages, free, compareNumbers, () => {});
  let haveSeals = true;
  checkOne(pages, main, compareBytes, (node, large) => {
    const { bytes, start, end, dataEnd } = node;
    // The first of all entries.
    if (end - start === APPLIED.length && bytes[start] === APPLIED[0]) haveSeals = !isOfEarlyVersion(dataEnd - end);
    if (!haveSeals) return;
    if (large) unsealed(bytes.subarray(start, end), large);
    else if (!isSealed(bytes, start, dataEnd)) throw damagedTree('an entry');
  });
}

/** The keys of the list of free pages: in the order of the machine's numbers. */
const compareNumbers: Compare = (a, b) => Number(a.bytes.readBigUInt64LE(a.start) - b.bytes.readBigUInt64LE(b.start));

const compareBytes: Compare = (a, b) => a.bytes.compare(b.bytes, b.start, b.end, a.start, a.end);

/**
 * Checks one tree.
 * @param onEntry called for each entry in order, with the data if they lie on pages of their own
 */
function checkOne(
  pages: Pages,
  tree: TreeRoot,
  compare: Compare,
  onEntry: (node: Node, large: Buffer | undefined) => void,
): void {
  const met = { branchPages: 0, leafPages: 0, overflowPages: 0, entries: 0 };

  /** All keys below the page lie between `low`, inclusive, and `high`, exclusive. */
  function visit(page: number, level: number, low: Span | undefined, high: Span | undefined): void {
    const nodes = pages.nodes(page, level);
    // The first key of an inner page stands for all that are smaller, whatever it says.
    const isAscending = nodes.every((node, at) => {
      if (level > 0 && at === 0) return true;
      const before = at > (level > 0 ? 1 : 0) ? nodes[at - 1]! : low;
      return before === undefined || (before === low ? compare(low, node) <= 0 : compare(before, node) < 0);
    });
    const last = nodes.at(-1);
    if (!isAscending || (high && last && compare(last, high) >= 0))
      throw damagedTree(`page ${page}: the order of its keys`);
    if (level === 0) {
      met.leafPages++;
      met.entries += nodes.length;
      nodes.forEach(visitEntry);
      return;
    }
    met.branchPages++;
    for (const [at, { child }] of nodes.entries()) {
      visit(child, level - 1, at > 0 ? nodes[at] : low, nodes[at + 1] ?? high);
    }
  }

  function visitEntry(node: Node): void {
    let data: Buffer | undefined;
    if (node.largeSize !== undefined) {
      const large = pages.large(node);
      met.overflowPages += large.pages;
      data = large.data;
    }
    onEntry(node, data);
  }

  if (tree.root !== undefined) visit(tree.root, tree.depth - 1, undefined, undefined);
  for (const count of ['branchPages', 'leafPages', 'overflowPages', 'entries'] as const) {
    if (met[count] !== tree[count]) throw damagedTree(`${count}: ${met[count]} instead of ${tree[count]}`);
  }
}
