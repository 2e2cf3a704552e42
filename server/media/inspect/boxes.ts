/** The boxes that MP4, 3GP and QuickTime files consist of (ISO/IEC 14496-12, section 4.2). */
import type { RandomAccess } from './random-access.ts';

export interface Box {
  /** Four characters. */
  type: string;
  /** Where the content begins. */
  start: number;
  /** Where it ends, which may be behind the end of what contains it. */
  end: number;
}

/** Counts the steps that may still be taken in a file. */
export interface Allowance {
  steps: number;
}

/**
 * The boxes within a part of a file, as far as there are any: user data of QuickTime end with 32 bits of zero, and
 * anything may lie behind the last box of a file. The last one may run beyond the end.
 * @param isFile whether the part is the whole file, whose last box may leave its size open
 */
export function* boxesWithin(
  bytes: RandomAccess,
  { start, end }: Pick<Box, 'start' | 'end'>,
  allowance: Allowance,
  isFile = false,
): Generator<Box> {
  for (let at = start; at + 8 <= end && allowance.steps-- > 0; ) {
    const header = bytes.read(at, 16);
    if (header.length < 8) return;
    const short = header.readUInt32BE(0);
    const isLong = short === 1 && header.length === 16;
    const length = isLong ? Number(header.readBigUInt64BE(8)) : short === 0 && isFile ? end - at : short;
    const headerLength = isLong ? 16 : 8;
    if (length < headerLength) return;
    yield { type: header.toString('latin1', 4, 8), start: at + headerLength, end: at + length };
    at += length;
  }
}

/** @returns the first box of a type within another that contains it whole */
export function boxIn(bytes: RandomAccess, parent: Box, type: string, allowance: Allowance): Box | undefined {
  for (const box of boxesWithin(bytes, parent, allowance)) {
    if (box.type === type && box.end <= parent.end) return box;
  }
  return undefined;
}

/** @returns the number of 4 bytes at an offset; 0 behind the end */
export function uint32At(bytes: RandomAccess, at: number): number {
  const field = bytes.read(at, 4);
  return field.length === 4 ? field.readUInt32BE() : 0;
}

/** @returns the number of 8 bytes at an offset, not exact beyond 2^53; 0 behind the end */
export function uint64At(bytes: RandomAccess, at: number): number {
  return uint32At(bytes, at) * 2 ** 32 + uint32At(bytes, at + 4);
}
