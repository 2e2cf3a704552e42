import { beforeAll, describe, expect, it } from 'vitest';
import { http, register, uniqueName } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const post = (route: string, body: unknown, headers?: Record<string, string>) =>
  http(server.url, 'POST', route, { body, ...(headers ? { headers } : {}) });

const valid = () => {
  const username = uniqueName();
  return { username, email: `${username}@example.test`, password: 'Correct-horse-9' };
};

describe('registration', () => {
  it('answers with the account and a session that is valid at once', async () => {
    const body = { ...valid(), full_name: 'Ada Lovelace' };
    const { status, json, headers } = await post('/auth/register', body);
    expect(status).toBe(201);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(Object.keys(json).sort()).toEqual(['access_token', 'expires_in', 'refresh_token', 'session_id', 'user']);
    expect(json.expires_in).toBe(900);
    expect(json.user).toMatchObject({
      username: body.username,
      email: body.email,
      full_name: 'Ada Lovelace',
      profile_picture: null,
      bio: '',
      is_active: true,
      settings: { notifications_enabled: true, read_receipts_enabled: true, typing_indicators_enabled: true },
    });
    const me = await http(server.url, 'GET', '/users/me', { token: json.access_token });
    expect(me.status).toBe(200);
    expect(me.json).toEqual({ user: json.user });
  });

  it('never shows the password, its history or look-up keys', async () => {
    const { json } = await post('/auth/register', valid());
    expect(Object.keys(json.user).sort()).toEqual([
      '_id',
      'bio',
      'created_at',
      'email',
      'full_name',
      'is_active',
      'last_password_change',
      'last_seen',
      'profile_picture',
      'settings',
      'updated_at',
      'username',
    ]);
  });

  it.each([
    ['a short username', { username: 'ab' }, 'username'],
    ['a long username', { username: 'a'.repeat(33) }, 'username'],
    ['a username with a space', { username: 'a b c' }, 'username'],
    ['a username with an @', { username: 'a@b.c' }, 'username'],
    ['a username that is not text', { username: { $gt: '' } }, 'username'],
    ['a line break after the username', { username: 'abc\n' }, 'username'],
    ['a malformed address', { email: 'nobody' }, 'email'],
    ['a long address', { email: `${'a'.repeat(250)}@example.test` }, 'email'],
    ['a short password', { password: '1234567' }, 'password'],
    ['a password of more than 72 bytes', { password: `${'é'.repeat(36)}x` }, 'password'],
    ['one of the most common passwords', { password: 'password' }, 'password'],
    ['a common password in another case', { password: 'BaseBall' }, 'password'],
    ['a common password of digits', { password: '12345678' }, 'password'],
    ['a password that is too short once it is composed', { password: 'e\u0301'.repeat(3) }, 'password'],
    ['a password that is too long once it is composed', { password: '\u0958'.repeat(24) }, 'password'],
    ['a NUL in the password', { password: 'pass\0word' }, 'password'],
    ['a lone surrogate in the password', { password: 'password\ud800' }, 'password'],
    ['a missing password', { password: undefined }, 'password'],
    ['a long full name', { full_name: 'x'.repeat(101) }, 'full_name'],
    ['a full name of white space', { full_name: ' \u00a0' }, 'full_name'],
    ['a full name that is invisible', { full_name: '\u200b\u2800\u3164' }, 'full_name'],
    ['a full name that turns the writing direction', { full_name: 'gpj.\u202eexe' }, 'full_name'],
    ['an unknown property', { is_admin: true }, 'is_admin'],
  ])('refuses %s', async (_what, over, path) => {
    const { status, json } = await post('/auth/register', { ...valid(), ...over });
    expect(status).toBe(400);
    expect(json.error.code).toBe('validation_failed');
    expect(json.error.details[0].path).toBe(path);
  });

  it('accepts passwords of exactly 8 and exactly 72 bytes, and signs in with them', async () => {
    for (const password of ['12-45-78', 'é'.repeat(36)]) {
      const body = { ...valid(), password };
      expect((await post('/auth/register', body)).status).toBe(201);
      expect((await post('/auth/login', { login: body.username, password })).status).toBe(200);
      expect((await post('/auth/login', { login: body.username, password: `${password}x` })).status).toBe(401);
    }
  });

  it('accepts any full name of a hundred characters', async () => {
    for (const full_name of ['\ufdfa', '\u{1f469}', 'é', '']) {
      const body = { ...valid(), full_name: full_name.repeat(100) };
      const { status, json } = await post('/auth/register', body);
      expect([status, json.user.full_name]).toEqual([201, body.full_name]);
    }
  });

  it('refuses names and addresses that are taken in any case, and names the field', async () => {
    const first = await register(server.url);
    const username = first.username.toUpperCase();
    const email = first.email.toUpperCase();
    const field = async (over: object) => {
      const { status, json } = await post('/auth/register', { ...valid(), ...over });
      expect(status).toBe(409);
      expect(json.error.code).toBe('conflict');
      return json.error.details[0].path;
    };
    expect(await field({ username })).toBe('username');
    expect(await field({ email })).toBe('email');
    expect(await field({ email, username })).toBe('username');
  });

  it('gives a name to one of twenty concurrent requests in different case', async () => {
    const name = uniqueName('race').toLowerCase();
    const spelled = (index: number) =>
      [...name].map((letter, at) => ((index >> (at % 5)) & 1 ? letter.toUpperCase() : letter)).join('');
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => post('/auth/register', { ...valid(), username: spelled(index) })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const losers = answers.filter(({ status }) => status === 409);
    expect(losers).toHaveLength(19);
    expect(losers.every(({ json }) => json.error.details[0].path === 'username')).toBe(true);
  });
});

describe('sign-in', () => {
  it('works with the username or the address in any case', async () => {
    const account = await register(server.url);
    for (const login of [
      account.username,
      account.username.toUpperCase(),
      account.email,
      account.email.toUpperCase(),
      `${account.username} `,
      ` ${account.email}\u00a0`,
    ]) {
      const { status, json } = await post('/auth/login', { login, password: account.password });
      expect(status).toBe(200);
      expect(json.user._id).toBe(account.id);
      expect(json.session_id).not.toBe(account.session_id);
    }
  });

  it('answers unknown users, wrong passwords and deactivated users alike', async () => {
    const account = await register(server.url);
    const gone = await register(server.url);
    const deleted = await http(server.url, 'DELETE', '/users/me', {
      token: gone.access_token,
      body: { password: gone.password },
    });
    expect(deleted.status).toBe(204);
    const answers = await Promise.all([
      post('/auth/login', { login: uniqueName(), password: account.password }),
      post('/auth/login', { login: `${uniqueName()}@example.test`, password: account.password }),
      post('/auth/login', { login: account.username, password: 'wrong-password' }),
      post('/auth/login', { login: gone.username, password: gone.password }),
    ]);
    for (const { status, json, headers } of answers) {
      expect(status).toBe(401);
      expect(json).toEqual(answers[0].json);
      expect(headers.get('www-authenticate')).toBe('Bearer');
    }
    expect(answers[0].json.error.code).toBe('unauthenticated');
  });

  it('refuses objects in place of text', async () => {
    const account = await register(server.url);
    for (const body of [
      { login: { $gt: '' }, password: account.password },
      { login: account.username, password: { $ne: '' } },
      { login: account.username, password: account.password, device_info: { platform: { $gt: '' } } },
      { login: account.username },
      null,
      [],
      'text',
    ]) {
      expect((await post('/auth/login', body)).json.error.code).toBe('validation_failed');
    }
  });
});

describe('an account', () => {
  it('changes the given parts of its profile and keeps the rest', async () => {
    const { access_token: token, user } = await register(server.url);
    const patch = (body?: unknown) => http(server.url, 'PATCH', '/users/me', { token, body });
    const first = await patch({ full_name: 'Grace Hopper', settings: { read_receipts_enabled: false } });
    expect(first.status).toBe(200);
    const second = await patch({ bio: 'Amazing', settings: { typing_indicators_enabled: false } });
    expect(second.json.user).toEqual({
      ...user,
      full_name: 'Grace Hopper',
      bio: 'Amazing',
      settings: { notifications_enabled: true, read_receipts_enabled: false, typing_indicators_enabled: false },
      updated_at: second.json.user.updated_at,
    });
    expect((await patch({ full_name: null })).json.user.full_name).toBe(null);
    const before = (await http(server.url, 'GET', '/users/me', { token })).json;
    expect((await patch({})).json).toEqual(before);
    expect((await patch()).json).toEqual(before);
  });

  it('refuses profile changes that break the contract', async () => {
    const { access_token: token } = await register(server.url);
    for (const body of [
      { bio: 'x'.repeat(501) },
      { bio: null },
      { full_name: 'x'.repeat(101) },
      { full_name: '\u2800' },
      { full_name: 'a\u202db' },
      { profile_picture: 'no-id' },
      { settings: { theme: 'dark' } },
      { settings: { read_receipts_enabled: 'no' } },
      { username: 'other' },
      { is_active: false },
      { password_history: [] },
    ]) {
      const { status, json } = await http(server.url, 'PATCH', '/users/me', { token, body });
      expect(status).toBe(400);
      expect(json.error.code).toBe('validation_failed');
    }
    const unknown = { profile_picture: 'f'.repeat(24) };
    expect((await http(server.url, 'PATCH', '/users/me', { token, body: unknown })).status).toBe(404);
  });

  it('is deactivated with its password only; its name stays taken and its sessions end', async () => {
    const account = await register(server.url);
    const other = await post('/auth/login', { login: account.username, password: account.password });
    const remove = (password: string) =>
      http(server.url, 'DELETE', '/users/me', { token: account.access_token, body: { password } });
    const wrong = await remove('wrong-password');
    expect(wrong.status).toBe(403);
    expect(wrong.json.error.code).toBe('forbidden');
    expect((await remove(account.password)).status).toBe(204);
    for (const token of [account.access_token, other.json.access_token]) {
      expect((await http(server.url, 'GET', '/users/me', { token })).status).toBe(401);
    }
    for (const refresh_token of [account.refresh_token, other.json.refresh_token]) {
      expect((await post('/auth/refresh', { refresh_token })).status).toBe(401);
    }
    const again = await post('/auth/register', { ...valid(), username: account.username });
    expect(again.status).toBe(409);
  });
});
