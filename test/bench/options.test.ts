import { expect, test } from 'vitest';
import { readOptions } from './options.ts';

const catalogue = { life: {}, million: { isLong: true as const }, rest: {} };

test('runs all but the long parts when none is named', () => {
  expect(readOptions([], catalogue)).toMatchObject({ parts: ['life', 'rest'], areAll: true, write: false });
});

test('runs the parts that are named, in the order of the catalogue', () => {
  expect(readOptions(['rest', 'life', 'rest'], catalogue)).toMatchObject({ parts: ['life', 'rest'], areAll: true });
  expect(readOptions(['million'], catalogue)).toMatchObject({ parts: ['million'], areAll: false });
});

test('takes files for figures', () => {
  const options = readOptions(['--json', 'now.json', '--before', 'then.json', 'rest'], catalogue);
  expect(options).toMatchObject({ json: 'now.json', before: 'then.json', other: undefined, parts: ['rest'] });
});

test('refuses parts and options that there are not, and a document of some parts', () => {
  expect(() => readOptions(['lief'], catalogue)).toThrow('no such part: lief; there are life, million, rest');
  expect(() => readOptions(['--jason', 'x'], catalogue)).toThrow('--jason');
  expect(() => readOptions(['life', '--write'], catalogue)).toThrow('all parts or not at all');
});
