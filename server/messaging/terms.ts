/**
 * What search looks up: the words of a text, folded (NFKD without combining marks, lower case), so that "Café" is
 * found by "cafe". The same folding goes over the query.
 */
const WORD = /[\p{L}\p{N}]+/gu;
/** Longer words are cut: an index key has a limit, and nobody types more. */
const MAX_TERM_LENGTH = 40;
/** A text of the greatest length would make thousands of index entries: the first ones are kept. */
const MAX_TERMS = 500;

/** Folds a text for comparison: NFKD, combining marks removed, lower case. */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase();
}

/** The distinct words of a text, folded. */
export function termsOf(text: string): string[] {
  const terms = new Set<string>();
  for (const [word] of fold(text).matchAll(WORD)) {
    terms.add(word.slice(0, MAX_TERM_LENGTH));
    if (terms.size === MAX_TERMS) break;
  }
  return [...terms];
}
