/*
 * The layout of LMDB's file, as far as a check needs it: version 2, with 64-bit numbers in little-endian order. Source:
 * `MDB_meta`, `MDB_db`, `MDB_page_header`, `MDB_node` and `MDB_ovpage` in mdb.c of the package lmdb, 2.9.
 */
import { closeSync, fstatSync, openSync, readSync, truncateSync } from 'node:fs';

/** The length of a page's header, in bytes. */
export const PAGE_HEADER = 24;
/** The length of a node's header. */
export const NODE_HEADER = 8;
/** A node's data lie on pages of their own. */
export const BIG_DATA = 1;
/** The flags of pages: inner page, leaf, data of one large value. */
export const BRANCH = 1;
export const LEAF = 2;
export const OVERFLOW = 4;
/** Kinds that a page has one of. */
const KIND = 0xff;
const META = 8;
/** They come first. */
export const META_PAGES = 2;
/** The length of what a meta page has behind its header. */
const META_BYTES = 144;
const MAGIC = 0xbeefc0de;
const VERSION = 2;
/** What stands for the root of an empty tree. */
const NO_PAGE = 0xffff_ffff_ffff_ffffn;

/** A tree: that of the free pages, or that of the data. */
export interface TreeRoot {
  depth: number;
  branchPages: number;
  leafPages: number;
  overflowPages: number;
  entries: number;
  /** Undefined if the tree is empty. */
  root: number | undefined;
}

/** What the newer of the two meta pages says. */
export interface Meta {
  bytes: Buffer;
  free: TreeRoot;
  main: TreeRoot;
  lastPage: number;
  transaction: number;
}

export interface TreeFile {
  pageSize: number;
  /** How many pages the file has. */
  pages: number;
  meta: Meta;
  /**
   * Reads a page and those behind it into a buffer as long as they are.
   * @returns false if the file ends before
   */
  read(page: number, into: Buffer): boolean;
  close(): void;
}

/** Whether this machine has LMDB write the file in the layout above. */
export const isKnownLayout = ['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch);

/**
 * Opens LMDB's file.
 * @returns undefined if the meta pages are not those of such a file
 * @throws what the file system throws
 */
export function openTreeFile(file: string): TreeFile | undefined {
  const descriptor = openSync(file, 'r');
  const size = fstatSync(descriptor).size;
  const readAt = (position: number, into: Buffer) =>
    position + into.length <= size && readSync(descriptor, into, 0, into.length, position) === into.length;
  const meta = readMeta(readAt);
  if (meta === undefined) {
    closeSync(descriptor);
    return undefined;
  }
  const { pageSize } = meta;
  return {
    pageSize,
    pages: Math.floor(size / pageSize),
    meta,
    read: (page, into) => readAt(page * pageSize, into),
    close: () => closeSync(descriptor),
  };
}

/** Gives back what an aborted transaction took of the disk: pages behind the last one that is in use. */
export function cutOffUnused(path: string): void {
  const file = isKnownLayout ? openTreeFile(path) : undefined;
  file?.close();
  if (file === undefined || file.pages <= file.meta.lastPage + 1) return;
  try {
    truncateSync(path, (file.meta.lastPage + 1) * file.pageSize);
  } catch {
    // Windows does not shorten a file that is mapped into memory. LMDB uses the pages later.
  }
}

function readMeta(readAt: (position: number, into: Buffer) => boolean): (Meta & { pageSize: number }) | undefined {
  const first = Buffer.alloc(PAGE_HEADER + META_BYTES);
  if (!readAt(0, first)) return undefined;
  const pageSize = first.readUInt32LE(PAGE_HEADER + 24);
  const second = Buffer.alloc(first.length);
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0 || !readAt(pageSize, second)) {
    return undefined;
  }
  if (![first, second].every((page) => isMeta(page, pageSize))) return undefined;
  const newer = numberAt(second, PAGE_HEADER + 128) > numberAt(first, PAGE_HEADER + 128) ? second : first;
  return {
    bytes: newer,
    pageSize,
    free: rootAt(newer, PAGE_HEADER + 24),
    main: rootAt(newer, PAGE_HEADER + 72),
    lastPage: numberAt(newer, PAGE_HEADER + 120),
    transaction: numberAt(newer, PAGE_HEADER + 128),
  };
}

function isMeta(page: Buffer, pageSize: number): boolean {
  return (
    kindOf(page) === META &&
    page.readUInt32LE(PAGE_HEADER) === MAGIC &&
    page.readUInt32LE(PAGE_HEADER + 4) === VERSION &&
    page.readUInt32LE(PAGE_HEADER + 24) === pageSize
  );
}

function rootAt(page: Buffer, at: number): TreeRoot {
  const root = page.readBigUInt64LE(at + 40);
  return {
    depth: page.readUInt16LE(at + 6),
    branchPages: numberAt(page, at + 8),
    leafPages: numberAt(page, at + 16),
    overflowPages: numberAt(page, at + 24),
    entries: numberAt(page, at + 32),
    root: root === NO_PAGE ? undefined : Number(root),
  };
}

/** A 64-bit number: of a page, a transaction, or a count. Those that are too large for a database become Infinity. */
export function numberAt(bytes: Buffer, at: number): number {
  return bytes.readUInt16LE(at + 6) === 0 ? bytes.readUIntLE(at, 6) : Infinity;
}

/** `BRANCH`, `LEAF`, `OVERFLOW`, or something that is not expected here. */
export function kindOf(page: Buffer): number {
  return page.readUInt16LE(18) & KIND;
}
