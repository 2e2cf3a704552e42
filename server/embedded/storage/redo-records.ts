/*
 * The records of the redo log: how they lie in its segments, and how the next start reads them.
 *
 * One record is one write to the disk, and the next is written only when that has arrived. So a record that is missing
 * below another one was acknowledged, and its loss is damage. The last one may be cut short by a crash: nobody was told
 * that it is on disk. What was told is written down as well, in a mark behind it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checksum } from './checksum.ts';
import { damagedLog } from './damage.ts';

/** Length of the changes (4 bytes), checksum of everything behind it (4), number of the record (8). */
export const HEADER = 16;
/** Bytes without a record are passed over in blocks. */
const ZEROS = Buffer.alloc(4096);

/** Up to where a log is part of the tree. */
export interface Applied {
  /** The number of the last record that is part of the tree. */
  number: number;
  /** What the checksums of the log begin with: a random number, so that no other bytes look like a record. */
  seed: number;
}

interface RedoRecord {
  file: string;
  number: number;
  /** A mark has none. */
  changes: Buffer;
}

/** The files of the two segments. */
export const segmentFiles = (folder: string): string[] => ['redo-0', 'redo-1'].map((name) => join(folder, name));

/** Fills in the header of a record whose changes lie behind it. */
export function writeHeader(record: Buffer, number: number, seed: number): void {
  record.writeUInt32LE(record.length - HEADER, 0);
  record.writeDoubleLE(number, 8);
  record.writeUInt32LE(checksum(record, 8, record.length, seed), 4);
}

/** A record without changes: it says that the one with the number is on disk. */
export function markOf(number: number, seed: number): Buffer {
  const mark = Buffer.alloc(HEADER);
  writeHeader(mark, number, seed);
  return mark;
}

/**
 * Reads what the log has and the tree has not.
 * @param through the last record to read, if not all
 * @returns the changes of each later record, in order
 * @throws Error if an acknowledged record is missing
 */
export function readRedoLog(folder: string, { number: applied, seed }: Applied, through = Infinity): Buffer[] {
  const later = segmentFiles(folder)
    .flatMap((file) => [...recordsIn(file, seed)])
    .filter(({ number }) => number > applied && number <= through)
    .sort((a, b) => a.number - b.number);
  const missing: Buffer[] = [];
  for (const { number, changes } of later) {
    if (changes.length > 0 && number === applied + missing.length + 1) missing.push(changes);
  }
  const next = applied + missing.length + 1;
  const beyond = later.find(({ number }) => number >= next);
  if (beyond === undefined) return missing;
  throw damagedLog(fileOf(later, next), `acknowledged writes are missing from record ${next} on`);
}

/** The segment in which a missing record must have been: that of the one before it, or else of the one after it. */
function fileOf(records: RedoRecord[], missing: number): string {
  const near = records.findLast(({ number }) => number < missing) ?? records[0]!;
  return near.file.slice(-'redo-0'.length);
}

/** The records of a segment, and the marks. Around what is damaged it looks for more. */
function* recordsIn(file: string, seed: number): Generator<RedoRecord> {
  const bytes = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const end = at + HEADER + bytes.readUInt32LE(at);
    if (end <= bytes.length && isRecord(bytes, at, end, seed)) {
      yield { file, number: bytes.readDoubleLE(at + 8), changes: bytes.subarray(at + HEADER, end) };
      at = end;
    } else if (bytes[at] === 0 && ZEROS.equals(bytes.subarray(at, at + ZEROS.length))) at += ZEROS.length - HEADER;
    else at++;
  }
}

function isRecord(bytes: Buffer, at: number, end: number, seed: number): boolean {
  const number = bytes.readDoubleLE(at + 8);
  return (
    Number.isSafeInteger(number) && number > 0 && bytes.readUInt32LE(at + 4) === checksum(bytes, at + 8, end, seed)
  );
}
