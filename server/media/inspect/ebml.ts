/** The elements that Matroska and WebM files consist of (EBML, RFC 8794, sections 4 to 6). */
import type { RandomAccess } from './random-access.ts';

export interface Element {
  /** With its marker bits, as specifications write it. */
  id: number;
  /** Where the content begins. */
  start: number;
  /** Where it ends, which may be behind the end of the file; undefined for a size that the writer did not know. */
  end: number | undefined;
}

/** The longest header: an id of 4 bytes and a size of 8. */
const MAX_HEADER_BYTES = 12;

/** @returns the element at an offset; undefined where there is none, such as behind the end */
export function elementAt(bytes: RandomAccess, at: number): Element | undefined {
  const header = bytes.read(at, MAX_HEADER_BYTES);
  const idLength = lengthOf(header[0]);
  const sizeLength = lengthOf(header[idLength]);
  if (idLength === 0 || idLength > 4 || sizeLength === 0 || header.length < idLength + sizeLength) return undefined;
  const start = at + idLength + sizeLength;
  const size = numberOf(header, idLength, sizeLength);
  return { id: uint(header.subarray(0, idLength)), start, end: size === undefined ? undefined : start + size };
}

/** @returns the number of variable length at an offset, without its marker bit; undefined if all its bits are ones */
export function numberOf(bytes: Buffer, at: number, length: number): number | undefined {
  const marker = 0x100 >> length;
  const [first, rest] = [bytes[at]! - marker, bytes.subarray(at + 1, at + length)];
  if (first === marker - 1 && rest.every((byte) => byte === 0xff)) return undefined;
  return first * 256 ** rest.length + uint(rest);
}

/** @returns an element's content as an unsigned integer; beyond 2^53 it is not exact */
export function uintOf(bytes: RandomAccess, { start, end }: Element): number {
  return uint(contentOf(bytes, start, end));
}

/** @returns an element's content as a floating-point number; 0 if it is none */
export function floatOf(bytes: RandomAccess, { start, end }: Element): number {
  const content = contentOf(bytes, start, end);
  return content.length === 8 ? content.readDoubleBE() : content.length === 4 ? content.readFloatBE() : 0;
}

/** @returns how many bytes a number has whose first byte this is: the leading zeros tell; 0 for none */
export function lengthOf(first: number | undefined): number {
  return first ? Math.clz32(first) - 23 : 0;
}

/** Numbers have at most 8 bytes. */
function contentOf(bytes: RandomAccess, start: number, end = start): Buffer {
  return end - start > 8 ? Buffer.alloc(0) : bytes.read(start, end - start);
}

function uint(bytes: Buffer): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}
