/**
 * The redo log: a write-ahead log of the writes that are not yet part of the tree on disk. Changing a B+ tree durably
 * means writing every page that changes, some twenty for a message. The log takes the changes alone, one after the
 * other, and the tree follows every few seconds. There are two segments: while the tree takes over the changes of one,
 * new ones go to the other.
 */
import { close, constants, openSync, write, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { encodeRecord, segmentFiles } from './redo-records.ts';

/** A new segment is filled with zeros: appends that make a file longer cost the file system a second write. */
const SEGMENT_BYTES = 2 * 1024 * 1024;

export interface RedoLog {
  /** The number of the last record. Records are numbered without gaps. */
  last(): number;
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
  descriptor: number;
  end: number;
}

interface Waiting {
  record: Buffer;
  resolve(): void;
  reject(error: Error): void;
}

/**
 * Opens an empty log. What the segments held is gone.
 * @param applied the number of the last record that is part of the tree
 */
export function openRedoLog(folder: string, applied: number): RedoLog {
  const segments = segmentFiles(folder).map(createSegment);
  let current = segments[0]!;
  let last = applied;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  /** Writes everything that waits at once, until nothing does. */
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      const bytes = Buffer.concat(group.map(({ record }) => record));
      const { descriptor, end } = current;
      current.end += bytes.length;
      const failure = await writeAt(descriptor, bytes, end);
      for (const { resolve, reject } of group) failure ? reject(failure) : resolve();
    }
    writing = undefined;
  }

  return {
    last: () => last,
    append(changes) {
      last++;
      const record = encodeRecord(last, changes);
      return new Promise((resolve, reject) => {
        waiting.push({ record, resolve, reject });
        writing ??= writeAll();
      });
    },
    size: () => current.end,
    turn() {
      current = segments.find((segment) => segment !== current)!;
      current.end = 0;
    },
    async close() {
      await writing;
      await Promise.all(segments.map(({ descriptor }) => promisify(close)(descriptor)));
    },
  };
}

function createSegment(file: string): Segment {
  writeFileSync(file, Buffer.alloc(SEGMENT_BYTES));
  // Each write returns when it is on disk.
  return { descriptor: openSync(file, constants.O_WRONLY | (constants.O_DSYNC ?? constants.O_SYNC)), end: 0 };
}

/** Writes at a position. Resolves with undefined once it is on disk, or with the reason why it is not. */
function writeAt(descriptor: number, bytes: Buffer, position: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    write(descriptor, bytes, 0, bytes.length, position, (error, count) => {
      resolve(error ?? (count < bytes.length ? new Error('the disk is full') : undefined));
    });
  });
}
