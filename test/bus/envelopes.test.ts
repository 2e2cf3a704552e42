import { expect, it } from 'vitest';
import { createEnvelopes } from '../../server/bus/envelopes.ts';

it('an envelope is opened once by each node, and never by the one that wrapped it', () => {
  const [one, two] = [createEnvelopes<object>('one'), createEnvelopes<object>('two')];
  const content = { text: 'with spaces, é and \ud800' };
  const [first, second] = [one.wrap(content), one.wrap(content)];
  expect(two.open(first)).toEqual(content);
  expect(two.open(first)).toBeUndefined();
  expect(two.open(second)).toEqual(content);
  expect(one.open(first)).toBeUndefined();
  expect(() => two.open('one:3 {')).toThrow(SyntaxError);
});
