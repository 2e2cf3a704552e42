/** Range requests (RFC 9110, section 14), single ranges only. */
import type { ByteRange } from './storage.ts';

const SINGLE = /^bytes=[\t ]*(\d*)-(\d*)[\t ]*$/i;

/**
 * What a `Range` header asks of a body.
 * @param size of the body in bytes, above 0
 * @returns the part; `unsatisfiable` when it begins beyond the end; undefined for anything but one valid range, which
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
