/**
 * What the boxes of an MP4 or QuickTime file say of its film (ISO/IEC 14496-12, section 8): the length of the whole and
 * the size of the picture, which parsers of audio metadata do not tell.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

export interface Movie {
  /** Seconds; undefined when the header does not know, as in fragmented files. */
  duration: number | undefined;
  /** Size of the first picture track as displayed; undefined without one. */
  picture: { width: number; height: number } | undefined;
}

/** Where the content of a box begins and ends in the file. */
interface Box {
  start: number;
  end: number;
}

/** Boxes looked at before giving up: a file of a few thousand nested ones is made to waste time. */
const MAX_BOXES = 10_000;
/** The largest content that is read: `tkhd` version 1. */
const MAX_CONTENT = 96;

/** @param file a path; read synchronously, so for a worker thread. Undefined when there is no movie header in it */
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

/** `mvhd`: creation, modification, timescale, duration, of 4 or (version 1) 8 bytes each but the timescale. */
function durationOf(mvhd: Buffer): number | undefined {
  const isLong = mvhd[0] === 1;
  if (mvhd.length < (isLong ? 32 : 20)) return undefined;
  const timescale = mvhd.readUInt32BE(isLong ? 20 : 12);
  const duration = isLong ? Number(mvhd.readBigUInt64BE(24)) : mvhd.readUInt32BE(16);
  const isKnown = timescale > 0 && duration > 0 && duration !== (isLong ? Number(2n ** 64n - 1n) : 2 ** 32 - 1);
  return isKnown ? duration / timescale : undefined;
}

/** `tkhd`: ends with a matrix of 9 and the size of 2 fixed-point numbers; tracks without a picture have size 0. */
function displayedSize(tkhd: Buffer): { width: number; height: number } | undefined {
  const matrixAt = tkhd[0] === 1 ? 52 : 40;
  if (tkhd.length < matrixAt + 44) return undefined;
  const width = Math.round(tkhd.readUInt32BE(matrixAt + 36) / 65_536);
  const height = Math.round(tkhd.readUInt32BE(matrixAt + 40) / 65_536);
  if (width === 0 || height === 0) return undefined;
  // Turned by a quarter: what was across is now upright.
  const isTurned = tkhd.readInt32BE(matrixAt) === 0 && tkhd.readInt32BE(matrixAt + 4) !== 0;
  return isTurned ? { width: height, height: width } : { width, height };
}
