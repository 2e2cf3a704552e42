import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../../server/lib/validation.ts';
import { storedMetadata, wireMetadata } from '../../server/model/metadata.ts';
import { Metadata } from '../../shared/contract/values.ts';

const validate = compile(Metadata);
const nested = (depth: number, leaf: unknown = 1, wrap = (inner: unknown): unknown => ({ a: inner })): unknown =>
  depth === 0 ? leaf : wrap(nested(depth - 1, leaf, wrap));
/** JSON of exactly so many bytes. */
const ofBytes = (bytes: number, letter = 'x') => ({ a: letter.repeat((bytes - 8) / Buffer.byteLength(letter)) });

describe('metadata', () => {
  it.each([
    ['an empty object', {}],
    ['4 KiB', ofBytes(4096)],
    ['4 KiB of letters of two bytes', ofBytes(4096, 'é')],
    ['eight levels', nested(8)],
    ['eight levels with lists', { a: nested(7, 1, (inner) => [inner]) }],
    ['a key of nothing', { '': 1 }],
    ['a $ within a key', { a$: 1 }],
    ['any value', { a: [null, true, false, 0, -1.5, 1e300, '', '$x', 'a.b'], b: null }],
  ])('takes %s', (_, value) => {
    expect(validate(value)).toBe(true);
  });

  it.each([
    ['a byte more', ofBytes(4097)],
    ['letters that are 4 KiB as characters only', ofBytes(4098, 'é')],
    ['nine levels', nested(9)],
    ['a list on the ninth level', nested(8, [])],
    ['a key with $ in front', { $date: 1 }],
    ['such a key far within', nested(6, [{ $ne: 1 }])],
    ['a key with a point', { 'a.b': 1 }],
    ['a key with NUL', { 'a\0': 1 }],
    ['a number that JavaScript cannot hold', JSON.parse('{"a":1e400}')],
    ['a list', []],
    ['null', null],
    ['a text', '{}'],
  ])('refuses %s', (_, value) => {
    expect(validate(value)).toBe(false);
  });

  it('is stored so that it comes back as it came', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        // JSON writes -0 as 0.
        const sent = JSON.stringify(data);
        const { metadata } = wireMetadata(storedMetadata(JSON.parse(sent)));
        expect(JSON.stringify(metadata ?? {})).toBe(sent);
      }),
    );
  });
});
