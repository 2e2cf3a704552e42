/**
 * Whether an image of a kind that decoders forgive a missing end has one: nothing of the picture need be gone for an
 * upload to have broken off.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Read at a time; the blocks of a GIF are at most 256 bytes each. */
const WINDOW_BYTES = 64 * 1024;
/** The type of the last chunk of a PNG. */
const IEND = 0x49454e44;

/** Gives a byte of a file; undefined beyond its end. */
type ByteAt = (offset: number) => number | undefined;

/**
 * @param file a path; read synchronously, so for a worker thread
 * @param mimeType what the content says it is
 * @returns false when the file ends before the image does; true for other kinds, of which decoders tell it
 */
export function hasEnd(file: string, mimeType: string): boolean {
  const isWhole = { 'image/png': endsAsPng, 'image/gif': endsAsGif }[mimeType];
  if (!isWhole) return true;
  const descriptor = openSync(file, 'r');
  try {
    return isWhole(windowed(descriptor), fstatSync(descriptor).size);
  } finally {
    closeSync(descriptor);
  }
}

function windowed(descriptor: number): ByteAt {
  const window = Buffer.alloc(WINDOW_BYTES);
  let [start, length] = [0, 0];
  return (offset) => {
    if (offset < start || offset >= start + length) {
      start = offset;
      length = readSync(descriptor, window, 0, WINDOW_BYTES, start);
    }
    return offset < start + length ? window[offset - start] : undefined;
  };
}

/** Chunks of length, type, content and checksum after the signature; the last one is `IEND` (PNG, section 5). */
function endsAsPng(byteAt: ByteAt, size: number): boolean {
  const uint32At = (offset: number) => [0, 1, 2, 3].reduce((sum, i) => sum * 256 + (byteAt(offset + i) ?? 0), 0);
  for (let at = 8; at + 12 <= size; ) {
    const isLast = uint32At(at + 4) === IEND;
    at += 12 + uint32At(at);
    if (isLast) return at <= size;
  }
  return false;
}

/** Blocks of sub-blocks after the header and its colours, up to the trailer (GIF89a, section 17). */
function endsAsGif(byteAt: ByteAt): boolean {
  const coloursAt = (offset: number) => {
    const flags = byteAt(offset) ?? 0;
    return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
  };
  const pastSubBlocks = (offset: number) => {
    let at = offset;
    for (let length = byteAt(at); length !== undefined && length > 0; length = byteAt(at)) at += length + 1;
    return at + 1;
  };
  for (let at = 13 + coloursAt(10); ; ) {
    const kind = byteAt(at);
    if (kind === 0x21) at = pastSubBlocks(at + 2);
    else if (kind === 0x2c) at = pastSubBlocks(at + 11 + coloursAt(at + 9));
    // What is no block is for the decoder to judge.
    else return kind !== undefined;
  }
}
