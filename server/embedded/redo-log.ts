/**
 * What was written and is not yet part of the tree on disk (a write-ahead log, redo only). To change a B+ tree durably
 * is to write every page that is touched, some twenty for a message; the log takes the changes alone, one behind the
 * other, and the tree follows every few seconds. Two segments take turns: while the tree takes over what is in the one,
 * the other goes on.
 */
import { close, constants, existsSync, openSync, readFileSync, write, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';

/** A segment is filled with zeros first: an append that makes a file longer is a second write for the file system. */
const SEGMENT_BYTES = 2 * 1024 * 1024;
/** Length of the changes (4 bytes), checksum of what follows (4), number of the record (8). */
const HEADER = 16;

export interface RedoLog {
  /** The number of the last record; they are counted without gaps. */
  last(): number;
  /** Appends the changes of one group of writes; resolves when they are on disk, and all that came before. */
  append(changes: Uint8Array): Promise<void>;
  /** The bytes in the segment that is in use. */
  size(): number;
  /** The other segment, of which nothing is needed any more, is used from now on. */
  turn(): void;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

const segmentFiles = (folder: string): string[] => [join(folder, 'redo-0'), join(folder, 'redo-1')];

/**
 * What a log holds that is not part of the tree.
 * @param applied the number of the last record that is
 * @returns the changes of the records behind that one, in their order
 */
export function readRedoLog(folder: string, applied: number): Buffer[] {
  const records = segmentFiles(folder)
    .flatMap(readSegment)
    .sort((a, b) => a.number - b.number);
  const missing: Buffer[] = [];
  for (const { number, changes } of records) if (number === applied + missing.length + 1) missing.push(changes);
  return missing;
}

/** The records from the beginning on, up to what is none: zeros, an earlier use's, or one that a crash cut short. */
function readSegment(file: string): { number: number; changes: Buffer }[] {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  const records: { number: number; changes: Buffer }[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const end = at + HEADER + bytes.readUInt32LE(at);
    if (end > bytes.length || bytes.readUInt32LE(at + 4) !== crc32(bytes.subarray(at + 8, end))) break;
    const number = bytes.readDoubleLE(at + 8);
    if (records.length > 0 && number !== records.at(-1)!.number + 1) break;
    records.push({ number, changes: bytes.subarray(at + HEADER, end) });
    at = end;
  }
  return records;
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
 * An empty log: whatever the segments held is gone.
 * @param applied the number of the last record that is part of the tree
 */
export function openRedoLog(folder: string, applied: number): RedoLog {
  const segments = segmentFiles(folder).map((file): Segment => {
    writeFileSync(file, Buffer.alloc(SEGMENT_BYTES));
    // Each write returns when it is on disk.
    return { descriptor: openSync(file, constants.O_WRONLY | (constants.O_DSYNC ?? constants.O_SYNC)), end: 0 };
  });
  let current = segments[0]!;
  let last = applied;
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  /** Writes all that waits as one, until nothing does. */
  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      const bytes = Buffer.concat(group.map(({ record }) => record));
      const { descriptor, end } = current;
      current.end += bytes.length;
      const failure = await written(descriptor, bytes, end);
      for (const { resolve, reject } of group) failure ? reject(failure) : resolve();
    }
    writing = undefined;
  }

  return {
    last: () => last,
    append(changes) {
      last++;
      const record = Buffer.allocUnsafe(HEADER + changes.length);
      record.writeUInt32LE(changes.length, 0);
      record.writeDoubleLE(last, 8);
      record.set(changes, HEADER);
      record.writeUInt32LE(crc32(record.subarray(8)), 4);
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

/** Writes at a position; undefined when it is on disk, else why it is not. */
function written(descriptor: number, bytes: Buffer, position: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    write(descriptor, bytes, 0, bytes.length, position, (error, count) => {
      resolve(error ?? (count < bytes.length ? new Error('the disk is full') : undefined));
    });
  });
}
