/** The words of a text as search compares them: folded, so that "cafe" finds "Café". Queries are folded alike. */
import { fold } from '../lib/fold.ts';

/** Scripts without spaces between words: each character counts as a word, so that a part of a sentence is found. */
const UNSPACED = String.raw`[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]`;
const EMOJI = String.raw`\p{Extended_Pictographic}|\p{Regional_Indicator}{2}`;
const WORD = new RegExp(String.raw`${EMOJI}|${UNSPACED}|(?:(?!${UNSPACED})[\p{L}\p{N}])+`, 'gu');
/** Longer words are cut: an index key has a limit, and nobody types more. */
const MAX_TERM_LENGTH = 40;
/** The longest texts would make thousands of index entries: only the first words are kept. */
const MAX_TERMS = 500;

/** The distinct words of a text, folded. */
export function termsOf(text: string): string[] {
  const terms = new Set<string>();
  for (const [word] of fold(text).matchAll(WORD)) {
    terms.add(word.slice(0, MAX_TERM_LENGTH));
    if (terms.size === MAX_TERMS) break;
  }
  return [...terms];
}
