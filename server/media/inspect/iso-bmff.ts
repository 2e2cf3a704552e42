/** Duration and picture size of MP4 and QuickTime files (ISO/IEC 14496-12, section 8): music-metadata finds neither. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface Movie {
  /** Seconds; undefined where the header does not say, as in fragmented files. */
  duration: number | undefined;
  /** Pixels of the first video track as displayed; undefined without one. */
  picture: { width: number; height: number } | undefined;
}

/** Offsets of the content of a box in the file: from `start` up to, but not including, `end`. */
interface Box {
  start: number;
  end: number;
}

/** Boxes visited before giving up: only a crafted file has more. */
const MAX_BOXES = 10_000;
/** Bytes of the largest content that is read: `tkhd` version 1. */
const MAX_CONTENT = 96;

/** Reads synchronously: for worker threads. @returns undefined when the file has no movie header */
export function readMovie(file: string): Movie | undefined {
  const descriptor = openSync(file, 'r');
  try {
    return movieOf(descriptor, fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

function movieOf(descriptor: number, size: number): Movie | undefined {
  let budget = MAX_BOXES;

  const content = (box: Box) => {
    const bytes = Buffer.alloc(Math.min(box.end - box.start, MAX_CONTENT));
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, box.start));
  };
  function boxesIn(parent: Box, type: string): Box[] {
    const found: Box[] = [];
    for (let at = parent.start; at + 8 <= parent.end && budget > 0; budget--) {
      const header = content({ start: at, end: Math.min(at + 16, parent.end) });
      const isLong = header.readUInt32BE(0) === 1 && header.length === 16;
      const isLast = header.readUInt32BE(0) === 0;
      const headerLength = isLong ? 16 : 8;
      const length = isLong ? Number(header.readBigUInt64BE(8)) : isLast ? parent.end - at : header.readUInt32BE(0);
      if (length < headerLength || at + length > parent.end) break;
      if (header.toString('latin1', 4, 8) === type) found.push({ start: at + headerLength, end: at + length });
      at += length;
    }
    return found;
  }

  const [moov] = boxesIn({ start: 0, end: size }, 'moov');
  const [mvhd] = moov ? boxesIn(moov, 'mvhd') : [];
  if (!moov || !mvhd) return undefined;
  const picture = boxesIn(moov, 'trak')
    .flatMap((trak) => boxesIn(trak, 'tkhd'))
    .map((tkhd) => displayedSize(content(tkhd)))
    .find((size) => size !== undefined);
  return { duration: durationOf(content(mvhd)), picture };
}

/** `mvhd`: creation, modification, timescale, duration: of 4 bytes each, in version 1 of 8 but for the timescale. */
function durationOf(mvhd: Buffer): number | undefined {
  const isLong = mvhd[0] === 1;
  if (mvhd.length < (isLong ? 32 : 20)) return undefined;
  const timescale = mvhd.readUInt32BE(isLong ? 20 : 12);
  const duration = isLong ? Number(mvhd.readBigUInt64BE(24)) : mvhd.readUInt32BE(16);
  const isKnown = timescale > 0 && duration > 0 && duration !== (isLong ? Number(2n ** 64n - 1n) : 2 ** 32 - 1);
  return isKnown ? duration / timescale : undefined;
}

/** `tkhd` ends with a matrix of 9 fixed-point numbers, width and height; both are 0 in tracks without a picture. */
function displayedSize(tkhd: Buffer): { width: number; height: number } | undefined {
  const matrixAt = tkhd[0] === 1 ? 52 : 40;
  if (tkhd.length < matrixAt + 44) return undefined;
  const width = Math.round(tkhd.readUInt32BE(matrixAt + 36) / 65_536);
  const height = Math.round(tkhd.readUInt32BE(matrixAt + 40) / 65_536);
  if (width === 0 || height === 0) return undefined;
  // A rotation by 90 degrees either way.
  const isRotated = tkhd.readInt32BE(matrixAt) === 0 && tkhd.readInt32BE(matrixAt + 4) !== 0;
  return isRotated ? { width: height, height: width } : { width, height };
}
