/** The names that clients give their uploads. */
import { invalid } from '../../lib/errors.ts';

/** Characters (PROTOCOL section 9). */
const MAX_LENGTH = 255;
/** Replaces a name of which nothing is left. */
const NAMELESS = 'file';
/**
 * Control characters, line and paragraph separators, and characters that change the writing direction, which make
 * `cod<U+202E>gpj.exe` look like a picture.
 */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/**
 * Cleans a name: keeps the last part of a path of any system, without control characters.
 * @throws ContractError `validation_failed` above 255 characters
 */
export function cleanFilename(name: string): string {
  const last = name.toWellFormed().split(/[/\\]/).at(-1)!;
  const cleaned = last.replaceAll(CONTROLS, '').trim();
  if ([...cleaned].length > MAX_LENGTH) throw invalid('original_filename', `is longer than ${MAX_LENGTH} characters`);
  return /^\.*$/.test(cleaned) ? NAMELESS : cleaned;
}
