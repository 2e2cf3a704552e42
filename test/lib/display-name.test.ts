import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isDisplayName } from '../../server/lib/display-name.ts';

it.each([
  ['letters of any script', 'Zoë', 'Κώστας', 'عمر', 'ひなた', 'สมชาย', 'O’Neill'],
  ['signs and emojis', '…', '🌸', '👨‍👩‍👧', '1️⃣', '★ Zoe ★'],
  ['white space and invisible characters beside something', ' Zoe ', '\u200eLara', '\u200bZora', '\ufeffBoris'],
  ['an embedding or isolate that is closed again', '\u202aEmil\u202c Lead', '\u2067عمر\u2069'],
  ['direction marks', 'Omar \u200f(عمر)'],
  ['no name at all', ''],
])('takes %s', (_what, ...names) => {
  expect(names.filter((name) => !isDisplayName(name))).toEqual([]);
});

it.each([
  ['white space alone', ' ', '\u00a0\u3000', '\t', '\n'],
  ['invisible characters alone', '\u200b', '\u200e\u200f', '\ufeff', '\u00ad', '\u2060', '\u{e0041}'],
  ['blanks that count as signs or letters', '\u2800', '\u3164', '\u115f\u1160', '\uffa0'],
  ['marks without a letter', '\u0301', '\u200d\ufe0f'],
  ['overrides of the direction', 'gpj.\u202eexe', '\u202dabc\u202c'],
  ['embeddings and isolates that stay open', '\u202aabc', 'a\u202bb', '\u2066abc', 'x\u2067', '\u2068a\u2068b\u2069'],
])('refuses %s', (_what, ...names) => {
  expect(names.filter(isDisplayName)).toEqual([]);
});

it('takes any name with a letter in it once controls of the direction are gone', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (before, after) =>
      isDisplayName(`${before}a${after}`.replace(/[\u202a-\u202e\u2066-\u2069]/g, '')),
    ),
  );
});
