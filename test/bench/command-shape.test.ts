import { expect, test } from 'vitest';
import { shapeOf, tally } from './command-shape.ts';
import { covered } from './spans.ts';

const shape = (name: string, body: object) => shapeOf({ name, collection: 'things', body });

test('the shape of a command is its name, its collection and the fields it looks by', () => {
  expect(shape('find', { filter: { user_id: 1, conversation_id: 2 } })).toBe('find things by conversation_id, user_id');
  expect(shape('update', { updates: [{ q: { _id: 1 }, u: { $set: { a: 1 } } }] })).toBe('update things by _id');
  expect(shape('delete', { deletes: [{ q: { at: 1 } }] })).toBe('delete things by at');
  expect(shape('findAndModify', { query: { _id: 1, rev: 2 } })).toBe('findAndModify things by _id, rev');
  expect(shape('aggregate', { pipeline: [{ $match: { seq: 1 } }] })).toBe('aggregate things by seq');
  expect(shape('insert', { documents: [{ _id: 1 }] })).toBe('insert things');
  expect(shape('find', { filter: {} })).toBe('find things');
});

test('values make no difference', () => {
  expect(shape('find', { filter: { _id: 1 } })).toBe(shape('find', { filter: { _id: { $in: [1, 2] } } }));
});

test('shapes are counted, the most frequent first', () => {
  expect(tally(['a', 'b', 'b'])).toEqual(['b × 2', 'a']);
});

test('spans of time that overlap are counted once, gaps not at all', () => {
  expect(covered([])).toBe(0);
  expect(
    covered([
      [5, 6],
      [0, 2],
      [1, 3],
      [1, 2],
    ]),
  ).toBe(4);
});
