import fc from 'fast-check';
import { expect, it } from 'vitest';
import { termsOf } from '../../server/messages/terms.ts';

it.each([
  ['words, once each, folded', 'The Café, the CAFÉ', ['the', 'cafe']],
  ['digits within words', 'room 12b', ['room', '12b']],
  ['each character of scripts without spaces', '吃饭 カレー', ['吃', '饭', 'カ', 'レ', 'ー']],
  ['emojis without their skin tones, flags as a whole', '👍🏽🇩🇪', ['👍', '🇩🇪']],
  ['nothing of punctuation', '.* -- !', []],
])('gives %s', (_what, text, terms) => {
  expect(termsOf(text)).toEqual(terms);
});

it('cuts long words, and keeps the first 500 of many', () => {
  expect(termsOf('x'.repeat(100))).toEqual(['x'.repeat(40)]);
  const many = Array.from({ length: 600 }, (_, i) => `w${i}`);
  expect(termsOf(many.join(' '))).toEqual(many.slice(0, 500));
});

it('holds nothing that means anything in a pattern', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(termsOf(text).join('')).not.toMatch(/[\\^$.*+?()[\]{}|]/);
    }),
  );
});
