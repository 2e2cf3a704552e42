/**
 * The redo log: a write-ahead log of the writes that are not yet part of the tree on disk. Changing a B+ tree durably
 * means writing every page that changes, some twenty for a message. The log takes the changes alone, one after the
 * other, and the tree follows now and then. There are two segments: while the tree takes over the changes of one,
 * new ones go to the other.
 */
import { close, closeSync, constants, fstatSync, ftruncateSync, openSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Applied, HEADER, markOf, segmentFiles, writeHeader } from './redo-records.ts';

/** A new segment is filled with zeros: appends that make a file longer cost the file system a second write. */
const SEGMENT_BYTES = 2 * 1024 * 1024;
/** It is filled page by page: Linux keeps what one write brings together, and counts all of that for each byte changed. */
const ZEROS = Buffer.alloc(4096);

export interface RedoLog {
  /** The number of the last record, on disk or on its way. Records are numbered without gaps. */
  last(): number;
  /** The number of the last record that is on disk. */
  durable(): number;
  /** The changes of the records that are on their way, in order. */
  underWay(): Buffer[];
  /** Appends the changes of a group of writes. Resolves when they and all before them are on disk. */
  append(changes: Uint8Array): Promise<void>;
  /** The bytes used in the current segment. */
  size(): number;
  /** Changes over to the other segment and overwrites it: the tree has taken over all changes. */
  turn(): void;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

interface Segment {
  /** Each write with it returns when it is on disk. */
  durable: number;
  /** For marks, which may come later. */
  plain: number;
  end: number;
}

/** A record that is not on disk yet. Groups join the newest one until it is written. */
interface Waiting {
  number: number;
  /** The changes of each group. The first has room for the header in front. */
  parts: Buffer[];
  written: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Opens an empty log. What the segments held is gone.
 * @param applied what is part of the tree, and the seed of the new log
 * @param onFailure called when a record could not be written: it is dropped, with all that wait behind it. Their promises
 *   reject afterwards.
 */
export function openRedoLog(folder: string, applied: Applied, onFailure: (error: Error) => void): RedoLog {
  const segments = segmentFiles(folder).map(createSegment);
  const { seed } = applied;
  let current = segments[0]!;
  let durable = applied.number;
  let queue: Waiting[] = [];
  /** The record at the end of the queue, as long as groups may join it. */
  let newest: Waiting | undefined;
  let writing: Promise<void> | undefined;
  let marking: NodeJS.Immediate | undefined;

  function markLast(): void {
    marking = undefined;
    // The next record comes to where the mark would be.
    if (!writing) mark(current, durable, seed);
  }

  const last = () => queue.at(-1)?.number ?? durable;

  /** Adds the changes to the newest record, or begins one with them. */
  function join(changes: Uint8Array): Waiting {
    if (newest) {
      newest.parts.push(Buffer.from(changes));
      return newest;
    }
    newest = newRecord(last() + 1, changes);
    queue.push(newest);
    return newest;
  }

  async function writeAll(): Promise<void> {
    for (let record = queue[0]; record; record = queue[0]) {
      if (newest === record) newest = undefined;
      const segment = current;
      const bytes = bytesOf(record);
      writeHeader(bytes, record.number, seed);
      const failure = await writeAt(segment.durable, bytes, segment.end);
      if (failure) {
        cutOff(segment);
        drop(failure);
        break;
      }
      segment.end += bytes.length;
      durable = record.number;
      queue.shift();
      record.resolve();
    }
    writing = undefined;
    // While others follow, they are the mark.
    marking ??= setImmediate(markLast);
  }

  function drop(failure: Error): void {
    const dropped = queue;
    queue = [];
    newest = undefined;
    onFailure(failure);
    for (const { reject } of dropped) reject(failure);
  }

  return {
    last,
    durable: () => durable,
    underWay: () => queue.map((record) => bytesOf(record).subarray(HEADER)),
    append(changes) {
      // Nothing to write, but what it saw may still be on its way.
      if (changes.length === 0) return queue.at(-1)?.written ?? Promise.resolve();
      const record = join(changes);
      writing ??= writeAll();
      return record.written;
    },
    size: () => current.end,
    turn() {
      clearImmediate(marking);
      marking = undefined;
      newest = undefined;
      current = segments.find((segment) => segment !== current)!;
      current.end = 0;
    },
    async close() {
      await writing;
      clearImmediate(marking);
      if (marking) markLast();
      const descriptors = segments.flatMap((segment) => [segment.durable, segment.plain]);
      await Promise.all(descriptors.map((descriptor) => promisify(close)(descriptor)));
    },
  };
}

function newRecord(number: number, changes: Uint8Array): Waiting {
  const bytes = Buffer.allocUnsafe(HEADER + changes.length);
  bytes.set(changes, HEADER);
  const record = { number, parts: [bytes] } as unknown as Waiting;
  record.written = new Promise((resolve, reject) => Object.assign(record, { resolve, reject }));
  return record;
}

function bytesOf({ parts }: Waiting): Buffer {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Notes behind a record that it is on disk. The next record overwrites the mark. */
function mark({ plain, end }: Segment, number: number, seed: number): void {
  try {
    writeSync(plain, markOf(number, seed), 0, HEADER, end);
  } catch {
    // On a full disk it is missing, which only matters if the last record is then damaged.
  }
}

/** Gives back what a write took of the disk that then failed. */
function cutOff({ plain, end }: Segment): void {
  if (fstatSync(plain).size > Math.max(end, SEGMENT_BYTES)) ftruncateSync(plain, Math.max(end, SEGMENT_BYTES));
}

/** Overwrites what is there, so that it needs no more of the disk than it has. */
function createSegment(file: string): Segment {
  const plain = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    for (let at = 0; at < SEGMENT_BYTES; ) at += writeSync(plain, ZEROS, 0, ZEROS.length, at);
    ftruncateSync(plain, SEGMENT_BYTES);
    const durable = openSync(file, constants.O_WRONLY | (constants.O_DSYNC ?? constants.O_SYNC));
    return { durable, plain, end: 0 };
  } catch (error) {
    closeSync(plain);
    throw error;
  }
}

/** Writes at a position. Resolves with undefined once it is on disk, or with the reason why it is not. */
function writeAt(descriptor: number, bytes: Buffer, position: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    write(descriptor, bytes, 0, bytes.length, position, (error, count) => {
      const isShort = !error && count < bytes.length;
      resolve(isShort ? Object.assign(new Error('a write was cut short'), { code: 'ENOSPC' }) : (error ?? undefined));
    });
  });
}
