/* The records of the redo log: how they lie in its segments, and how the next start reads them. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** Length of the changes (4 bytes), checksum of everything behind it (4), number of the record (8). */
const HEADER = 16;

/** The files of the two segments. */
export const segmentFiles = (folder: string): string[] => [join(folder, 'redo-0'), join(folder, 'redo-1')];

export function encodeRecord(number: number, changes: Uint8Array): Buffer {
  const record = Buffer.allocUnsafe(HEADER + changes.length);
  record.writeUInt32LE(changes.length, 0);
  record.writeDoubleLE(number, 8);
  record.set(changes, HEADER);
  record.writeUInt32LE(crc32(record.subarray(8)), 4);
  return record;
}

/**
 * Reads what the log has and the tree has not.
 * @param applied the number of the last record that is part of the tree
 * @returns the changes of each later record, in order, up to the first gap
 */
export function readRedoLog(folder: string, applied: number): Buffer[] {
  const records = segmentFiles(folder)
    .flatMap(readSegment)
    .sort((a, b) => a.number - b.number);
  const missing: Buffer[] = [];
  for (const { number, changes } of records) if (number === applied + missing.length + 1) missing.push(changes);
  return missing;
}

/** The records of a segment, up to where there are zeros, records of an earlier use, or one that a crash cut short. */
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
