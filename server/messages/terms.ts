/**
 * The words of a text as search compares them, folded. A text is found by a query when each term of the query is the
 * beginning of one of the text's terms.
 *
 * Scripts without spaces between words are not cut into words, since no two dictionaries agree on where. Each of their
 * characters begins a term of three (an n-gram, as in Lucene's CJKAnalyzer), so any part of a sentence is found.
 */
import { cut, fold } from '../lib/fold.ts';

const UNSPACED_SCRIPTS = `Han Hiragana Katakana Bopomofo Yi Nushu Tangut Thai Lao Khmer Myanmar Tai_Le New_Tai_Lue
  Tai_Tham Tai_Viet Javanese Balinese Buginese Cham Batak Rejang Makasar`.split(/\s+/);
/** By extensions, so that signs that several scripts share count too: `ー` belongs to kana, never to Latin. */
const UNSPACED = `[${UNSPACED_SCRIPTS.map((script) => `\\p{Script_Extensions=${script}}`).join('')}]`;
const LETTERS = String.raw`[\p{L}\p{N}\p{M}]`;
const EMOJI = String.raw`\p{Extended_Pictographic}|\p{Regional_Indicator}{2}`;
/** An emoji, a stretch of unspaced script, or a word. */
const PART = new RegExp(`${EMOJI}|(?<unspaced>[${UNSPACED}&&${LETTERS}]+)|[${LETTERS}--${UNSPACED}]+`, 'gv');
/** A letter with its marks. */
const CHARACTER = /\P{M}\p{M}*|\p{M}+/gu;
const GRAM = 3;
/** Longer words are cut, in UTF-16 units: an index key has a limit, and nobody types more. */
const MAX_TERM_LENGTH = 40;
/**
 * The longest text (16 KiB) has at most 5,475 different terms: with their separators, few words are shorter than three
 * bytes. Only compatibility characters that fold to several others make more; what is in the middle is left out then.
 */
const MAX_FIRST_TERMS = 5500;
const MAX_LAST_TERMS = 500;

/** The distinct terms of a text, at most 6,000. */
export function termsOf(text: string): string[] {
  const all = [...parts(text)].flatMap((part) => (typeof part === 'string' ? [part] : grams(part)));
  const kept = new Set<string>();
  addUpTo(MAX_FIRST_TERMS, kept, all);
  if (all.length > MAX_FIRST_TERMS) addUpTo(MAX_FIRST_TERMS + MAX_LAST_TERMS, kept, all.reverse());
  return [...kept];
}

/** The distinct terms that a text must have to be found by a query, the longest first: likely the rarest. */
export function queryTermsOf(query: string): string[] {
  const all = [...parts(query)].flatMap((part) => (typeof part === 'string' ? [part] : chained(part)));
  return [...new Set(all)].sort((one, other) => other.length - one.length);
}

/** The words of a text as strings, its unspaced stretches as lists of characters. */
function* parts(text: string): Generator<string | string[]> {
  for (const { 0: part, groups } of fold(text).matchAll(PART)) {
    yield groups?.unspaced === undefined ? cut(part, MAX_TERM_LENGTH) : part.match(CHARACTER)!;
  }
}

/** The gram that begins at each character; towards the end they grow shorter. */
function grams(characters: string[]): string[] {
  return characters.map((_, at) => gramAt(characters, at));
}

/** Grams that cover a stretch: each begins with the last character of the one before. */
function chained(characters: string[]): string[] {
  const last = Math.max(characters.length - GRAM, 0);
  const starts = [...Array.from({ length: Math.ceil(last / (GRAM - 1)) }, (_, i) => i * (GRAM - 1)), last];
  return starts.map((at) => gramAt(characters, at));
}

function gramAt(characters: string[], at: number): string {
  return cut(characters.slice(at, at + GRAM).join(''), MAX_TERM_LENGTH);
}

function addUpTo(count: number, kept: Set<string>, terms: string[]): void {
  for (const term of terms) {
    if (kept.size === count) return;
    kept.add(term);
  }
}
