import fc from 'fast-check';
import { expect, it } from 'vitest';
import { fold } from '../../server/lib/fold.ts';
import { queryTermsOf, termsOf } from '../../server/messages/terms.ts';

const MAX_BYTES = 16 * 1024;
const SCRIPTS = {
  Latin: 'abcçdéfğhıiøßœ',
  Greek: 'αάβγσςΐΣΩ',
  Cyrillic: 'абвгдеёийїМ',
  Devanagari: 'कखगिीु्ंनम',
  Arabic: 'ابتثجأىةَُ',
  Han: '人生而自由在尊严和权利上一律平等',
  Kana: 'あいうがカナーゃッ',
  Thai: 'กขคงเแาิ้่ำ',
  Khmer: 'កខគឃងាិ្ញុំ',
  Lao: 'ກຂຄງຈເາິ້ຳ',
  Myanmar: 'ကခဂန်ုိ့ရ',
  Javanese: 'ꦲꦤꦕꦫꦏ꧀ꦱꦶ',
};
/** Texts of one script: chat as it is. */
const written = fc
  .constantFrom(...Object.values(SCRIPTS))
  .chain((letters) => fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 40 }));
const text = fc.oneof(
  { weight: 3, arbitrary: fc.array(written, { minLength: 1, maxLength: 6 }).map((words) => words.join(' ')) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 60 }) },
);
const graphemes = (of: string) => [...new Intl.Segmenter().segment(of)].map(({ segment }) => segment);

/** What the store does with a query: each of its terms begins one of the text's. */
function finds(query: string, stored: string[]): boolean {
  return queryTermsOf(query).every((word) => stored.some((term) => term.startsWith(word)));
}

it.each([
  ['words, once each, folded', 'The Café, the CAFÉ', ['the', 'cafe']],
  ['digits within words', 'room 12b', ['room', '12b']],
  [
    'three characters from each one on, of scripts without spaces',
    '吃饭了 カレー',
    ['吃饭了', '饭了', '了', 'かれー', 'れー', 'ー'],
  ],
  ['letters together with their marks', 'หน้า ꦏ꧀ꦱꦫ', ['หน้า', 'น้า', 'า', 'ꦏ꧀ꦱꦫ', 'ꦱꦫ', 'ꦫ']],
  ['words of Indic scripts whole', 'हिन्दी में', ['हिन्दी', 'में']],
  ['a kana long vowel apart from Latin', 'ーcoffee コーヒーcoffee', ['ー', 'coffee', 'こーひ', 'ーひー', 'ひー']],
  ['emojis without their skin tones, flags as a whole', '👍🏽🇩🇪', ['👍', '🇩🇪']],
  ['nothing of punctuation', '.* -- !', []],
])('gives %s', (_what, content, terms) => {
  expect(termsOf(content)).toEqual(terms);
});

it('asks for a long stretch by few terms that hang together', () => {
  expect(queryTermsOf('一二三四五六')).toEqual(['一二三', '三四五', '四五六']);
  expect(queryTermsOf('一二')).toEqual(['一二']);
});

it('finds a text by each of its words, and by each beginning of each', () => {
  fc.assert(
    fc.property(text, (content) => {
      const stored = termsOf(content);
      for (const word of content.split(/\s+/)) {
        const characters = graphemes(word);
        const beginnings = characters.map((_, i) => characters.slice(0, i + 1).join(''));
        expect(beginnings.filter((beginning) => !finds(beginning, stored))).toEqual([]);
      }
    }),
  );
});

it('finds a sentence of a script without spaces by any part of it', () => {
  const unspaced = ['Han', 'Kana', 'Thai', 'Khmer', 'Lao', 'Myanmar', 'Javanese'] as const;
  const sentence = fc
    .constantFrom(...unspaced.map((script) => SCRIPTS[script]))
    .chain((letters) => fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 40 }));
  fc.assert(
    fc.property(sentence, fc.nat(40), fc.nat(40), (content, from, length) => {
      const characters = fold(content).match(/\P{M}\p{M}*/gu) ?? [];
      expect(finds(characters.slice(from, from + length).join(''), termsOf(content))).toBe(true);
    }),
  );
});

it('finds a text written in one case or normal form by a query in another', () => {
  fc.assert(
    fc.property(written, (content) => {
      for (const form of ['NFC', 'NFD']) {
        expect(finds(content.normalize(form).toUpperCase(), termsOf(content))).toBe(true);
        expect(finds(content, termsOf(content.normalize(form).toUpperCase()))).toBe(true);
      }
    }),
  );
});

it('does not take the parts of a short query for the whole', () => {
  expect(finds('权利', termsOf('权力和利益'))).toBe(false);
  expect(finds('かく', termsOf('がく'))).toBe(false);
  expect(finds('มาก', termsOf('มา กา'))).toBe(false);
});

it('cuts long words between two characters', () => {
  expect(termsOf('x'.repeat(100))).toEqual(['x'.repeat(40)]);
  expect(finds('x'.repeat(100), termsOf('x'.repeat(100)))).toBe(true);
  const [adlam] = termsOf(`a${'\u{1E922}'.repeat(40)}`);
  expect([adlam!.isWellFormed(), adlam!.length]).toEqual([true, 39]);
});

it.each([
  ['words', (i: number) => `${i.toString(36)} `],
  ['Han', (i: number) => String.fromCodePoint(0x4e00 + i)],
  ['emojis', (i: number) => `${String.fromCodePoint(0x1f300 + (i % 0x300))}${i.toString(36)}`],
])('keeps every term of the longest text of %s', (_what, unit) => {
  let content = '';
  for (let i = 0; Buffer.byteLength(content + unit(i)) <= MAX_BYTES; i++) content += unit(i);
  const stored = new Set(termsOf(content));
  expect(stored.size).toBeLessThanOrEqual(6000);
  const all = content.match(/[a-z0-9]+|\p{Extended_Pictographic}|\p{L}/gu)!;
  for (const part of all) expect(stored.has(part) || finds(part, [...stored])).toBe(true);
});

it('keeps the beginning and the end where compatibility characters unfold to more', () => {
  // Each folds to four or five kana, all of which begin a term.
  const square = (i: number) => String.fromCodePoint(0x3300 + ((i * 7919) % 0x57));
  const content = Array.from({ length: 5000 }, (_, i) => square(i) + square(i >> 3) + (i % 10)).join('');
  const stored = termsOf(`first ${content} last`);
  expect(stored.length).toBeLessThanOrEqual(6000);
  expect([finds('first', stored), finds('last', stored)]).toEqual([true, true]);
});

it('holds nothing that means anything in a pattern', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (content) => {
      expect([...termsOf(content), ...queryTermsOf(content)].join('')).not.toMatch(/[\\^$.*+?()[\]{}|]/);
    }),
  );
});
