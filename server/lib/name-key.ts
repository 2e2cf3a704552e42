/** The key that people are found by: stored for each full name, and made of each query of `user:search`. */
import { cut, fold } from './fold.ts';

/** Folding can turn one letter into eighteen and index keys are limited; nobody searches by more than this. */
const MAX_LENGTH = 200;
/** What shows as a gap, however wide. The Braille blank (U+2800) is no white space to Unicode. */
const GAPS = /[\p{White_Space}\p{Cc}\u2800]+/gu;

/**
 * @param name a full name, or the beginning of one
 * @returns it folded, without white space around it and with single spaces within: a prefix of a name has a prefix of
 *   the name's key
 */
export function nameKey(name: string | null): string {
  return cut(
    fold(name ?? '')
      .replace(GAPS, ' ')
      .trim(),
    MAX_LENGTH,
  );
}
