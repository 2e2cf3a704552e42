import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, http, register, uniqueName } from '../support/client.ts';
import { startServer, startServerForTest, type TestServer } from '../support/server.ts';
import { closedPort, type Sink, startSink } from './smtp-sink.ts';

let sink: Sink;
let server: TestServer;
beforeAll(async () => {
  sink = await startSink();
  server = await startServer({ env: { SMTP_URL: sink.url, PUBLIC_URL: 'https://chat.example.test' } });
});
afterAll(async () => {
  await server.stop();
  await sink.close();
});

const post = (route: string, body: unknown, token?: string) =>
  http(server.url, 'POST', route, { body, ...(token ? { token } : {}) });
const change = (account: Account, current_password: string, new_password: string) =>
  post('/auth/password/change', { current_password, new_password }, account.access_token);
const signIn = async (account: Account, password: string) =>
  (await post('/auth/login', { login: account.username, password })).status;
const forgot = (email: string, base = server.url) => http(base, 'POST', '/auth/password/forgot', { body: { email } });
const reset = (token: string, new_password: string) => post('/auth/password/reset', { token, new_password });

describe('changing the password', () => {
  it('needs the current one', async () => {
    const account = await register(server.url);
    const { status, json } = await change(account, 'wrong-password', 'new-password');
    expect(status).toBe(403);
    expect(json.error.code).toBe('forbidden');
    expect(await signIn(account, account.password)).toBe(200);
  });

  it('keeps this session and ends all others', async () => {
    const account = await register(server.url);
    const other = (await post('/auth/login', { login: account.username, password: account.password })).json;
    const device = await connect(server.url, account);
    const gone = await connect(server.url, { ...account, ...other });
    expect((await change(account, account.password, 'new-password')).status).toBe(204);
    await gone.next('session:revoked');
    expect(device.socket.connected).toBe(true);
    expect((await http(server.url, 'GET', '/users/me', { token: other.access_token })).status).toBe(401);
    expect((await post('/auth/refresh', { refresh_token: other.refresh_token })).status).toBe(401);
    expect((await post('/auth/refresh', { refresh_token: account.refresh_token })).status).toBe(200);
    expect(await signIn(account, account.password)).toBe(401);
    expect(await signIn(account, 'new-password')).toBe(200);
    device.close();
  });

  it('refuses the current password and the last five, and takes the one before them', async () => {
    const account = await register(server.url);
    const passwords = [account.password, ...[1, 2, 3, 4, 5, 6].map((index) => `password-number-${index}`)];
    for (let index = 1; index < passwords.length; index++) {
      expect((await change(account, passwords[index - 1]!, passwords[index]!)).status).toBe(204);
    }
    const current = passwords[6]!;
    for (const used of passwords.slice(1)) {
      const { status, json } = await change(account, current, used);
      expect(status).toBe(409);
      expect(json.error.code).toBe('conflict');
    }
    expect((await change(account, current, passwords[0]!)).status).toBe(204);
    expect(await signIn(account, passwords[0]!)).toBe(200);
  });

  it('succeeds for one of several at once', async () => {
    const account = await register(server.url);
    const wanted = Array.from({ length: 6 }, (_, index) => `wanted-password-${index}`);
    const answers = await Promise.all(wanted.map((password) => change(account, account.password, password)));
    const won = wanted.filter((_, index) => answers[index]!.status === 204);
    expect(won).toHaveLength(1);
    for (const { status } of answers) expect([204, 403, 409]).toContain(status);
    const works = await Promise.all(wanted.map((password) => signIn(account, password)));
    expect(wanted.filter((_, index) => works[index] === 200)).toEqual(won);
  });

  it('leaves no session to a sign-in by the old password that ran at the same time', async () => {
    for (let round = 0; round < 5; round++) {
      const account = await register(server.url);
      const [changed, ...signedIn] = await Promise.all([
        change(account, account.password, 'new-password'),
        ...Array.from({ length: 6 }, () =>
          post('/auth/login', { login: account.username, password: account.password }),
        ),
      ]);
      expect(changed!.status).toBe(204);
      for (const { json } of signedIn.filter(({ status }) => status === 200)) {
        expect((await http(server.url, 'GET', '/users/me', { token: json.access_token })).status).toBe(401);
      }
    }
  });

  it('refuses new passwords that are too short or too long', async () => {
    const account = await register(server.url);
    for (const bad of ['short', 'x'.repeat(73)]) {
      expect((await change(account, account.password, bad)).status).toBe(400);
    }
  });
});

describe('a forgotten password', () => {
  it('is answered alike for known and unknown addresses; only known ones get a mail', async () => {
    const account = await register(server.url);
    const stranger = `${uniqueName()}@example.test`;
    const answers = await Promise.all([forgot(stranger), forgot(account.email.toUpperCase())]);
    for (const { status, json } of answers) {
      expect(status).toBe(202);
      expect(json).toEqual({});
    }
    await sink.tokenFor(account.email);
    expect(sink.count(stranger)).toBe(0);
    expect((await forgot('no address')).status).toBe(400);
  });

  it('is replaced once by the token of the mail, and every session ends', async () => {
    const account = await register(server.url);
    const device = await connect(server.url, account);
    await forgot(account.email);
    const token = await sink.tokenFor(account.email);
    expect((await reset(token, 'brand-new-password')).status).toBe(204);
    await device.next('session:revoked');
    expect((await http(server.url, 'GET', '/users/me', { token: account.access_token })).status).toBe(401);
    expect(await signIn(account, account.password)).toBe(401);
    expect(await signIn(account, 'brand-new-password')).toBe(200);
    const again = await reset(token, 'yet-another-password');
    expect(again.status).toBe(400);
    expect(again.json.error.code).toBe('validation_failed');
    expect((await reset('x'.repeat(43), 'yet-another-password')).json).toEqual(again.json);
  });

  it('is replaced by one of several who use the token at once', async () => {
    const account = await register(server.url);
    await forgot(account.email);
    const token = await sink.tokenFor(account.email);
    const wanted = Array.from({ length: 8 }, (_, index) => `wanted-password-${index}`);
    const answers = await Promise.all(wanted.map((password) => reset(token, password)));
    const won = wanted.filter((_, index) => answers[index]!.status === 204);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(7);
    expect(await signIn(account, won[0]!)).toBe(200);
  });

  it('has one good token: the newest, until the password changes in another way', async () => {
    const account = await register(server.url);
    await forgot(account.email);
    const first = await sink.tokenFor(account.email);
    await forgot(account.email);
    const second = await sink.tokenFor(account.email);
    expect((await reset(first, 'new-password-1')).status).toBe(400);
    expect((await change(account, account.password, 'new-password-2')).status).toBe(204);
    expect((await reset(second, 'new-password-3')).status).toBe(400);
    expect(await signIn(account, 'new-password-2')).toBe(200);
  });

  it('has one good token after several requests at once', async () => {
    const account = await register(server.url);
    await Promise.all(Array.from({ length: 5 }, () => forgot(account.email)));
    const tokens = await Promise.all(Array.from({ length: 5 }, () => sink.tokenFor(account.email)));
    const statuses: number[] = [];
    for (const [index, token] of tokens.entries()) statuses.push((await reset(token, `new-password-${index}`)).status);
    expect(statuses.sort()).toEqual([204, 400, 400, 400, 400]);
  });

  it('cannot become one that was used before, and the token stays good for another try', async () => {
    const account = await register(server.url);
    expect((await change(account, account.password, 'second-password')).status).toBe(204);
    await forgot(account.email);
    const token = await sink.tokenFor(account.email);
    for (const used of [account.password, 'second-password']) {
      const { status, json } = await reset(token, used);
      expect(status).toBe(409);
      expect(json.error.code).toBe('conflict');
    }
    expect((await reset(token, 'third-password')).status).toBe(204);
    expect((await post('/auth/login', { login: account.username, password: 'third-password' })).status).toBe(200);
  });

  it('is of no use to a deactivated user', async () => {
    const account = await register(server.url);
    await forgot(account.email);
    const token = await sink.tokenFor(account.email);
    const gone = await http(server.url, 'DELETE', '/users/me', {
      token: account.access_token,
      body: { password: account.password },
    });
    expect(gone.status).toBe(204);
    expect((await reset(token, 'new-password')).status).toBe(400);
    expect((await forgot(account.email)).status).toBe(202);
  });
});

describe('mail', () => {
  it('is sent again when the mail server refuses it for now', async () => {
    const slow = await startSink({ failures: 1 });
    const other = await startServerForTest({ env: { SMTP_URL: slow.url } });
    const account = await register(other.url);
    expect((await forgot(account.email, other.url)).status).toBe(202);
    expect(await slow.tokenFor(account.email)).toHaveLength(43);
    await slow.close();
  });

  it('that cannot be sent changes no answer, and the log has no token', async () => {
    const url = `smtp://127.0.0.1:${await closedPort()}`;
    const other = await startServerForTest({ env: { SMTP_URL: url, LOG_LEVEL: 'trace' } });
    const account = await register(other.url);
    const [known, unknown] = await Promise.all([
      forgot(account.email, other.url),
      forgot(`${uniqueName()}@example.test`, other.url),
    ]);
    expect([known.status, known.json]).toEqual([unknown.status, unknown.json]);
    await expect.poll(() => other.output(), { timeout: 5000 }).toContain('a mail could not be sent');
    expect(other.output()).not.toContain('reset-password?token');
  });

  it('is replaced by a line of the log at level warn where no mail server is set', async () => {
    const other = await startServerForTest({ env: { LOG_LEVEL: 'warn' } });
    const account = await register(other.url);
    await forgot(account.email, other.url);
    const line = /^.*\/reset-password\?token=([\w-]{43})$/m;
    await expect.poll(() => other.output(), { timeout: 5000 }).toMatch(line);
    const [whole, token] = line.exec(other.output())!;
    expect(whole).toContain('WARN');
    expect(whole).toContain(`${other.url}/reset-password?token=`);
    const done = await http(other.url, 'POST', '/auth/password/reset', {
      body: { token, new_password: 'new-password' },
    });
    expect(done.status).toBe(204);
  });

  it('is neither sent nor logged in production where no mail server is set', async () => {
    const other = await startServerForTest({
      env: { NODE_ENV: 'production', JWT_SECRET: 'x'.repeat(32), LOG_LEVEL: 'trace' },
    });
    const account = await register(other.url);
    expect((await forgot(account.email, other.url)).status).toBe(202);
    await expect.poll(() => other.output(), { timeout: 5000 }).toContain('SMTP_URL is not set');
    expect(other.output()).not.toContain('token=');
  });
});
