import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nameKey } from '../../server/lib/name-key.ts';

it.each([
  ['white space around it', ' \u00a0Zoe Lead\u3000', 'zoe lead'],
  ['gaps within', 'Dora  \t Lead', 'dora lead'],
  ['what is invisible', '\u200e\u202aEmil\u202c\u200b Lead\ufeff', 'emil lead'],
  ['blanks that Unicode counts as signs or letters', '\u2800\u3164Kim\u2800Lead', 'kim lead'],
  ['accents and case', 'Élodie ÇELİK', 'elodie celik'],
  ['nothing', null, ''],
])('of a name leaves out or evens out %s', (_what, name, key) => {
  expect(nameKey(name)).toBe(key);
});

it('of the beginning of a name begins the key of the name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), fc.nat(60), (name, length) => {
      const characters = [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment);
      expect(nameKey(name).startsWith(nameKey(characters.slice(0, length).join('')))).toBe(true);
    }),
  );
});

it('fits into an index and is well-formed, whatever the name', () => {
  for (const letter of ['\ufdfa', '\u{1f469}', '한']) {
    const key = nameKey(letter.repeat(100));
    expect(key.length).toBeLessThanOrEqual(200);
    expect(key.isWellFormed()).toBe(true);
  }
});
