import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { assertAcceptable } from '../../server/accounts/passwords/acceptance.ts';

const LIST = new URL('../../server/accounts/passwords/common-passwords.txt', import.meta.url);
const common = readFileSync(LIST, 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'));
const refused = expect.objectContaining({ code: 'validation_failed' });

it('refuses each of ten thousand common passwords, in any case', () => {
  expect(new Set(common).size).toBe(10_000);
  for (const password of common) {
    expect(() => assertAcceptable('password', password)).toThrow(refused);
    expect(() => assertAcceptable('password', password.toUpperCase())).toThrow(refused);
  }
});

it('takes a common one with anything more to it, and parts and lines of the list', () => {
  for (const password of [
    'Correct-horse-9',
    `${common[0]}-${common[9999]}`,
    `${common[0]}\n${common[1]}`,
    'iloveyo-',
  ]) {
    expect(() => assertAcceptable('password', password)).not.toThrow();
  }
});
