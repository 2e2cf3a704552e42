import fc from 'fast-check';
import { expect, it } from 'vitest';
import { cut, fold } from '../../server/lib/fold.ts';

/** Any text: of one script or mixed, well-formed or not. */
const anyText = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string());
/** Surrogates, private use, and what has no character yet. */
const UNUSED = /[\p{Cs}\p{Co}\p{Cn}]/u;
/** It folds as if it were left out, but its upper case (a capital iota) does not: those who write it know both. */
const IOTA_SUBSCRIPT = /\u0345/;

it.each([
  ['Latin letters with accents', 'Café Ångström naïve', 'cafe angstrom naive'],
  ['letters with strokes, and ligatures', 'Łódź Øre Đức Æsir œuvre ﬁn', 'lodz ore duc aesir oeuvre fin'],
  ['the German ß, large and small', 'Straße STRASSE ẞ', 'strasse strasse ss'],
  ['the Turkish i with and without a dot', 'Isparta ısparta İSPARTA', 'isparta isparta isparta'],
  ['the Greek sigma at the end of a word', 'ΟΔΥΣΣΕΑΣ Ὀδυσσέας ΚΩΣ', 'οδυσσεασ οδυσσεασ κωσ'],
  ['ё as е, but й as a letter of its own', 'Ёж мой мои', 'еж мой мои'],
  ['Hebrew points and final letters', 'עִבְרִית מֶלֶךְ', 'עברית מלכ'],
  ['Arabic vowel signs, hamza, and keyboards of neighbours', 'أَحْمَد یک كـــتاب', 'احمد يك كتاب'],
  ['kana voicing marks, which make other letters', 'が か ｶﾞ が', 'が か が が'],
  ['katakana as hiragana, with its long vowels', 'カレー', 'かれー'],
  ['vowel signs and viramas of Indic scripts', 'हिन्दी বাংলা', 'हिन्दी বাংলা'],
  ['Thai tone marks', 'ข้าว ขาว', 'ข้าว ขาว'],
  ['Hangul, composed', '한국', '한국'],
  ['digits of other scripts', '٢٠٢٤ १२ ２３ x²', '2024 12 23 x2'],
  ['nothing of what is invisible', 'in\u00advisi\u200bble\u2060 \u200efrom\ufeff', 'invisible from'],
  ['emojis without their styles', '❤️ ☎︎ 1️⃣', '❤ ☎ 1'],
])('folds %s', (_what, text, folded) => {
  expect(fold(text)).toBe(folded);
});

it('folds every character as its upper and lower case and its normal forms, and what is folded as itself', () => {
  const wrong: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    if (UNUSED.test(character) || IOTA_SUBSCRIPT.test(character.normalize('NFD'))) continue;
    // To a reader they are the same; most characters are all of them.
    const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => character.normalize(form));
    const variants = new Set([character, character.toUpperCase(), character.toLowerCase(), ...forms]);
    const folded = new Set([...variants].map(fold));
    if (folded.size > 1 || !folded.has(fold([...folded][0]!))) wrong.push(`U+${code.toString(16)}`);
  }
  expect(wrong).toEqual([]);
});

it('folds a folded text to itself', () => {
  fc.assert(fc.property(anyText, (text) => fold(fold(text)) === fold(text)));
});

it('folds normal forms and cases alike', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(!IOTA_SUBSCRIPT.test(text.normalize('NFD')));
      const variants = [text.normalize('NFC'), text.normalize('NFD'), text.toUpperCase(), text.toLowerCase()];
      expect(variants.map(fold)).toEqual(variants.map(() => fold(text)));
    }),
  );
});

it('folds words one by one as it folds them together', () => {
  fc.assert(fc.property(fc.array(anyText), (words) => fold(words.join(' ')) === words.map(fold).join(' ')));
});

it('cuts between characters, never within one', () => {
  expect(cut('a😀b', 2)).toBe('a');
  expect(cut('a😀b', 3)).toBe('a😀');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, length) => {
      const short = cut(text, length);
      expect(
        text.startsWith(short) && short.length <= length && short.length >= Math.min(text.length, length) - 1,
      ).toBe(true);
      expect(short.isWellFormed()).toBe(true);
    }),
  );
});
