import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstSight } from '../../server/accounts/issuer/first-sight.ts';
import { compile } from '../../server/lib/validation.ts';
import { FullName, RegisterBody } from '../../shared/contract/accounts.ts';

const isUsername = compile(RegisterBody.properties.username);
const isEmail = compile(RegisterBody.properties.email);
const isFullName = compile(FullName);

/** The first values of an endless list. */
function first(values: Iterable<string>, count: number): string[] {
  const taken: string[] = [];
  for (const value of values) if (taken.push(value) === count) break;
  return taken;
}
const usernameOf = (claims: object) => first(firstSight(claims as never).usernames, 1)[0]!;
const emailOf = (claims: object) => first(firstSight(claims as never).emails!, 1)[0]!;
const fullNameOf = (name: unknown) => firstSight({ name }).full_name;

const anything = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string(), fc.anything());

describe('what a token makes of a new user', () => {
  it('is valid whatever the token holds, and never comes to an end', () => {
    fc.assert(
      fc.property(
        fc.record({ preferred_username: anything, email: anything, name: anything, email_verified: anything }),
        (claims) => {
          const { usernames, emails, full_name } = firstSight(claims as never);
          for (const username of first(usernames, 5)) expect(isUsername(username), username).toBe(true);
          for (const email of first(emails!, 3)) expect(isEmail(email), email).toBe(true);
          expect(isFullName(full_name)).toBe(true);
        },
      ),
    );
  });

  it.each<[object, string | RegExp]>([
    [{ preferred_username: 'ann.example', email: 'other@example.test' }, 'ann.example'],
    [{ preferred_username: 'Ann_E-1' }, 'Ann_E-1'],
    [{ preferred_username: 'ann@corp.example' }, 'ann'],
    [{ preferred_username: 'Zoë Müller' }, 'Zoe_Muller'],
    [{ preferred_username: 'x'.repeat(40) }, 'x'.repeat(32)],
    [{ preferred_username: 'jo' }, /^jo_[0-9a-f]{4}$/],
    [{ preferred_username: '王伟', email: 'wei@example.test' }, 'wei'],
    [{ preferred_username: '', email: 'wei+chat@example.test' }, 'wei_chat'],
    [{ preferred_username: { $gt: '' }, email: 'wei@example.test' }, 'wei'],
    [{ email: 'no-address' }, 'no-address'],
    [{ email: '@' }, /^user_[0-9a-f]{8}$/],
    [{}, /^user_[0-9a-f]{8}$/],
  ])('is called by %o as %s', (claims, username) => {
    expect(usernameOf(claims)).toMatch(
      typeof username === 'string' ? new RegExp(`^${username.replaceAll('.', '\\.')}$`) : username,
    );
  });

  it('has a name with a suffix next, within the longest that a username is', () => {
    const [plain, next, later] = first(firstSight({ preferred_username: 'x'.repeat(32) }).usernames, 3);
    expect(plain).toBe('x'.repeat(32));
    expect(next).toMatch(/^x{27}_[0-9a-f]{4}$/);
    expect(later).toMatch(/^x{23}_[0-9a-f]{8}$/);
  });

  it('has the address of the token, unless that is none or nobody stands by it', () => {
    const email = 'ann@example.test';
    for (const email_verified of [true, undefined, 'true']) expect(emailOf({ email, email_verified })).toBe(email);
    for (const claims of [
      { email, email_verified: false },
      { email, email_verified: 'false' },
      { email: 'ann' },
      { email: 7 },
      {},
    ])
      expect(emailOf(claims)).toMatch(/^[0-9a-f]{32}@external\.invalid$/);
    expect(first(firstSight({ email }).emails!, 2)[1]).toMatch(/@external\.invalid$/);
  });

  it('has the name of the token, cut to a hundred characters and without what may not stand there', () => {
    expect(fullNameOf('Ann Example')).toBe('Ann Example');
    expect(fullNameOf('a'.repeat(101))).toBe('a'.repeat(100));
    expect(fullNameOf('😀'.repeat(101))).toBe('😀'.repeat(100));
    expect(fullNameOf(`${'a'.repeat(99)}😀😀`)).toBe(`${'a'.repeat(99)}😀`);
    expect(fullNameOf(' Ann\u0000\n Example ')).toBe('Ann  Example');
    expect(fullNameOf('\u202Egpj.exe')).toBe('gpj.exe');
    expect(fullNameOf('half \ud83d')).toBe('half \ufffd');
    for (const none of ['', '  ', '\u200b', 42, null, undefined, ['Ann']]) expect(fullNameOf(none)).toBe(null);
  });
});
