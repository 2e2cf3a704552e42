/* The pages of LMDB's file, read and taken apart with all bounds checked. */
import { damagedTree } from './damage.ts';
import { createPageSet } from './page-set.ts';
import {
  BIG_DATA,
  BRANCH,
  kindOf,
  LEAF,
  META_PAGES,
  NODE_HEADER,
  numberAt,
  OVERFLOW,
  PAGE_HEADER,
  type TreeFile,
} from './tree-file.ts';

/** The length of what a node has instead of large data: first page (8 bytes), transaction (8), how many pages (8). */
const REFERENCE = 24;

/** A key, or a key and what follows it. */
export interface Span {
  bytes: Buffer;
  start: number;
  end: number;
}

export interface Node extends Span {
  /** Where the node's data end. */
  dataEnd: number;
  /** Of an inner page: the page below. */
  child: number;
  /** Of a leaf: how long the data are if they lie on pages of their own. */
  largeSize: number | undefined;
}

export interface Pages {
  /** The nodes of an inner page, or of a leaf (level 0). They are valid until the next page of the level is read. */
  nodes(page: number, level: number): Node[];
  /** The large data that a node refers to, and how many pages they take. */
  large(node: Node): { data: Buffer; pages: number };
}

/**
 * Reads pages, each once.
 * @throws Error (each function) if a page is not what it must be, or is met twice
 */
export function createPages({ pageSize, pages, meta, read }: TreeFile): Pages {
  const seen = createPageSet(pages);
  const buffers: Buffer[] = [];

  function take(page: number, count: number, kind: number, into: Buffer): void {
    const bad = (what: string) => damagedTree(`page ${page}: ${what}`);
    if (!(page >= META_PAGES && page + count - 1 <= Math.min(meta.lastPage, pages - 1)))
      throw bad('it is beyond the end');
    for (let each = page; each < page + count; each++) {
      if (!seen.add(each)) throw bad('it is used twice');
    }
    if (!read(page, into)) throw bad('it cannot be read');
    const isRight = numberAt(into, 0) === page && numberAt(into, 8) <= meta.transaction && kindOf(into) === kind;
    if (!isRight) throw bad('its header');
  }

  return {
    nodes(page, level) {
      buffers[level] ??= Buffer.allocUnsafe(pageSize);
      const bytes = buffers[level];
      take(page, 1, level > 0 ? BRANCH : LEAF, bytes);
      const nodes = nodesOf(bytes, level === 0);
      if (nodes === undefined) throw damagedTree(`page ${page}: its nodes`);
      return nodes;
    },
    large({ bytes, end, largeSize = 0 }) {
      const page = numberAt(bytes, end);
      const count = numberAt(bytes, end + 16);
      if (!(count <= pages && count * pageSize >= PAGE_HEADER + largeSize))
        throw damagedTree(`page ${page}: its length`);
      const data = Buffer.allocUnsafe(count * pageSize);
      take(page, count, OVERFLOW, data);
      if (data.readUInt32LE(20) !== count) throw damagedTree(`page ${page}: its length`);
      return { data: data.subarray(PAGE_HEADER, PAGE_HEADER + largeSize), pages: count };
    },
  };
}

/** The nodes of a page in order; undefined if they do not fill exactly the part of the page that is said to be in use. */
function nodesOf(bytes: Buffer, isLeaf: boolean): Node[] | undefined {
  const lower = bytes.readUInt16LE(20);
  const upper = bytes.readUInt16LE(22);
  if (lower % 2 !== 0 || lower > upper || PAGE_HEADER + upper > bytes.length) return undefined;
  const nodes: Node[] = [];
  let used = 0;
  for (let at = PAGE_HEADER; at < PAGE_HEADER + lower; at += 2) {
    const offset = bytes.readUInt16LE(at);
    if (offset < upper || PAGE_HEADER + offset + NODE_HEADER > bytes.length) return undefined;
    const node = nodeAt(bytes, PAGE_HEADER + offset, isLeaf);
    if (node === undefined) return undefined;
    const length = node.dataEnd - PAGE_HEADER - offset;
    used += length + (length % 2);
    nodes.push(node);
  }
  return PAGE_HEADER + upper + used === bytes.length ? nodes : undefined;
}

function nodeAt(bytes: Buffer, at: number, isLeaf: boolean): Node | undefined {
  const low = bytes.readUInt32LE(at);
  const flags = bytes.readUInt16LE(at + 4);
  const start = at + NODE_HEADER;
  const end = start + bytes.readUInt16LE(at + 6);
  if (isLeaf && flags !== 0 && flags !== BIG_DATA) return undefined;
  const isLarge = isLeaf && flags === BIG_DATA;
  const dataEnd = end + (isLarge ? REFERENCE : isLeaf ? low : 0);
  if (dataEnd > bytes.length) return undefined;
  return { bytes, start, end, dataEnd, child: low + flags * 2 ** 32, largeSize: isLarge ? low : undefined };
}
