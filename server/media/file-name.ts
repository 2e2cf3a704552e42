/** Names of uploads: what becomes of a name that a stranger chose, on its way in and on its way out. */
import { invalid } from '../lib/errors.ts';

/** Longest name that is kept, in characters (PROTOCOL section 9). */
const MAX_LENGTH = 255;
/** What is kept of a name of which nothing is left: paths and control characters alone. */
const NAMELESS = 'file';
/**
 * Control characters, line and paragraph separators, and those that turn the direction of writing: with these,
 * `cod<U+202E>gpj.exe` looks like a picture.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The name of an upload as it is kept: the last part of a path of any system, without control characters.
 * @throws ContractError `validation_failed` when it is longer than 255 characters
 */
export function cleanFileName(name: string): string {
  const last = name.toWellFormed().split(/[/\\]/).at(-1)!;
  const cleaned = last.replaceAll(CONTROLS, '').trim();
  if ([...cleaned].length > MAX_LENGTH) throw invalid('original_filename', `is longer than ${MAX_LENGTH} characters`);
  return /^\.*$/.test(cleaned) ? NAMELESS : cleaned;
}

/**
 * A `Content-Disposition` header (RFC 6266): the name quoted, and where ASCII does not hold it, a second time as
 * RFC 8187 encodes it. So is a name with `%41` in it, which some browsers would decode.
 * @param type whether browsers may show it or must save it
 * @param name a cleaned name
 */
export function contentDisposition(type: 'inline' | 'attachment', name: string): string {
  const plain = `${type}; filename="${name.replaceAll(/[^ -~]/gu, '?').replaceAll(/["\\]/g, '\\$&')}"`;
  if (/^[ -~]*$/.test(name) && !/%[\da-f]{2}/i.test(name)) return plain;
  const encoded = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `${plain}; filename*=UTF-8''${encoded}`;
}
