/** Range requests for single ranges (RFC 9110, section 14). */
import type { ByteRange } from '../storage/storage.ts';

const SINGLE = /^bytes=[\t ]*(\d*)-(\d*)[\t ]*$/i;

/**
 * Parses a `Range` header.
 * @param size of the body in bytes, above 0
 * @returns the range; `unsatisfiable` when it begins beyond the end; undefined for anything but one valid range, which
 *   RFC 9110 lets a server ignore
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = SINGLE.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size : Math.min(Number(last) + 1, size) };
}
