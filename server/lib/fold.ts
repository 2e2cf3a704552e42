/**
 * Folding: two texts that a reader takes for the same word become equal, so that "cafe" finds "Café". What is stored and
 * what is asked for go through the same function. The guide is the primary level of CLDR's root collation; where it goes
 * further than readers do (kana with and without voicing marks, the nukta of Indic scripts) letters stay apart.
 */

/**
 * Whoever changes what `fold` or `termsOf` returns increases this, and adds a migration that folds what is stored anew
 * (`foldAnew` in `model/install.ts`).
 */
export const FOLD_VERSION = 2;

const ASCII = /^[\0-\x7f]*$/;

/**
 * Signs that are written or left out without making another word: accents, and the points of Hebrew, Arabic and their
 * like. Marks of other scripts are letters (vowel signs, viramas, tones), and so are kana's voicing marks. The breve is
 * looked at separately.
 */
const ACCENTS = String.raw`[\p{M}&&[\p{sc=Zinh}\p{sc=Grek}\p{sc=Copt}\p{sc=Cyrl}\p{sc=Hebr}\p{sc=Arab}\p{sc=Syrc}]]`;
/** Accents, what is invisible, and the Arabic tatweel, which only lengthens a line. */
const DROPPED = new RegExp(
  String.raw`[[${ACCENTS}\p{Default_Ignorable_Code_Point}\u0640]--[\u0306\u3099\u309A]]+`,
  'gv',
);

/** A letter of its own, unlike other letters with a breve: "мой" and "мои" are two words. */
const SHORT_I = /\u0438\u0306/g;
const BREVE = /\u0306/g;

/** Letters that Unicode does not take apart. The right-hand sides fold to themselves. */
const ALIKE = new Map<string, string>([
  // Strokes and ligatures: of equal primary weight in CLDR's root collation.
  ...pairs('ø o đ d ð d ħ h ł l æ ae œ oe'),
  // Letters that are shaped differently at the end of a word.
  ...pairs('ς σ ך כ ם מ ן נ ף פ ץ צ'),
  // One letter on the Arabic, Persian and Urdu keyboards.
  ...pairs('ٱ ا ة ه ى ي ی ي ک ك ہ ه'),
  // Apostrophes that count as letters.
  ...pairs("ʼ ' ʻ '"),
  ...katakana(),
  ...digits('٠۰०০੦૦୦௦౦೦൦๐໐༠၀០᠐'),
]);
const TAKEN_FOR_OTHERS = new RegExp(`[${[...ALIKE.keys()].join('')}]`, 'gu');

/**
 * Folds a text for comparison: compatibility forms as usual ones (NFKD), without accents and invisible characters, by
 * full case folding, composed (NFC). Folding a folded text changes nothing.
 */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  const plain = text.normalize('NFKD').replace(DROPPED, '');
  // Full case folding (ß, ẞ, ı and their like) by way of upper case, which JavaScript maps fully.
  return plain
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .replace(SHORT_I, 'й')
    .replace(BREVE, '')
    .normalize('NFC')
    .replace(TAKEN_FOR_OTHERS, (letter) => ALIKE.get(letter)!);
}

/** The beginning of a text, at most `length` UTF-16 units long, that ends between two characters. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const splitsPair = text.charCodeAt(length) >> 10 === 0x37 && text.charCodeAt(length - 1) >> 10 === 0x36;
  return text.slice(0, splitsPair ? length - 1 : length);
}

function pairs(list: string): [string, string][] {
  const letters = list.split(' ');
  return letters.flatMap((from, i): [string, string][] => (i % 2 === 0 ? [[from, letters[i + 1]!]] : []));
}

/** Katakana as hiragana, which begins 0x60 lower and has the same order. */
function katakana(): [string, string][] {
  return Array.from({ length: 0x30f6 - 0x30a1 + 1 }, (_, i): [string, string] => [
    String.fromCharCode(0x30a1 + i),
    String.fromCharCode(0x3041 + i),
  ]);
}

/** The decimal digits of scripts, each named by its zero, as 0 to 9. */
function digits(zeros: string): [string, string][] {
  return [...zeros].flatMap((zero) =>
    Array.from({ length: 10 }, (_, i): [string, string] => [String.fromCharCode(zero.charCodeAt(0) + i), `${i}`]),
  );
}
