/** Detects PNG and GIF images that break off: decoders accept them without their last block, so we look for it. */
import { withFile } from './random-access.ts';

/** The type of the last chunk of a PNG. */
const IEND = 0x49454e44;

/** @returns the byte at an offset of a file; undefined beyond its end */
type ByteAt = (offset: number) => number | undefined;

/**
 * Reads synchronously: for worker threads.
 * @param mimeType the type by content
 * @returns false when the file ends before the image does; true for other formats, whose decoders notice it
 */
export function hasEnd(file: string, mimeType: string): boolean {
  const isWhole = { 'image/png': endsAsPng, 'image/gif': endsAsGif }[mimeType];
  if (!isWhole) return true;
  return withFile(file, (bytes) => isWhole((offset) => bytes.read(offset, 1)[0], bytes.size));
}

/** After the signature come chunks of length, type, content and checksum; the last is `IEND` (PNG, section 5). */
function endsAsPng(byteAt: ByteAt, size: number): boolean {
  const uint32At = (offset: number) => [0, 1, 2, 3].reduce((sum, i) => sum * 256 + (byteAt(offset + i) ?? 0), 0);
  for (let at = 8; at + 12 <= size; ) {
    const isLast = uint32At(at + 4) === IEND;
    at += 12 + uint32At(at);
    if (isLast) return at <= size;
  }
  return false;
}

/** After the header and its colour table come blocks of sub-blocks, up to a trailer (GIF89a, section 17). */
function endsAsGif(byteAt: ByteAt): boolean {
  const colorsAt = (offset: number) => {
    const flags = byteAt(offset) ?? 0;
    return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
  };
  const pastSubBlocks = (offset: number) => {
    let at = offset;
    for (let length = byteAt(at); length !== undefined && length > 0; length = byteAt(at)) at += length + 1;
    return at + 1;
  };
  for (let at = 13 + colorsAt(10); ; ) {
    const kind = byteAt(at);
    if (kind === 0x21) at = pastSubBlocks(at + 2);
    else if (kind === 0x2c) at = pastSubBlocks(at + 11 + colorsAt(at + 9));
    // The trailer, or an unknown block, which is for the decoder to judge.
    else return kind !== undefined;
  }
}
