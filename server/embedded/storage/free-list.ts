/* LMDB's list of free pages: for each transaction those that it freed. */
import { createPageSet } from './page-set.ts';
import { META_PAGES, numberAt, type TreeFile } from './tree-file.ts';
import { createPages } from './tree-pages.ts';

/** The length of a number in the list, in bytes. */
const NUMBER = 8;

/**
 * Whether LMDB 2 may take pages from the list: the numbers of each transaction descend, and no page is there twice. LMDB 3
 * (the package lmdb) writes them otherwise, with lengths in between and in no order, and at times a page twice; LMDB 2
 * would write over pages that are in use.
 * @throws Error if the pages of the list are not what they must be
 */
export function isFreeListSound(file: TreeFile): boolean {
  const { lastPage } = file.meta;
  const met = createPageSet(lastPage + 1);
  return listsOf(file).every((list) => {
    const count = numberAt(list, 0);
    if ((count + 1) * NUMBER > list.length) return false;
    let before = lastPage + 1;
    for (let i = 1; i <= count; i++) {
      const page = numberAt(list, i * NUMBER);
      if (page >= before || page < META_PAGES || !met.add(page)) return false;
      before = page;
    }
    return true;
  });
}

/** The lists of all transactions: each how many numbers it has, then these. */
function listsOf(file: TreeFile): Buffer[] {
  const { free } = file.meta;
  const pages = createPages(file);
  const lists: Buffer[] = [];

  function visit(page: number, level: number): void {
    for (const node of pages.nodes(page, level)) {
      if (level > 0) visit(node.child, level - 1);
      else if (node.largeSize === undefined) lists.push(Buffer.from(node.bytes.subarray(node.end, node.dataEnd)));
      else lists.push(pages.large(node).data);
    }
  }

  if (free.root !== undefined) visit(free.root, free.depth - 1);
  return lists;
}
