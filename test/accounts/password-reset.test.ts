import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, http, register, uniqueName } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { type Sink, startSink } from './smtp-sink.ts';

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
const forgot = (email: string) => post('/auth/password/forgot', { email });
const reset = (token: string, new_password: string) => post('/auth/password/reset', { token, new_password });

describe('a password reset', () => {
  it('is requested with the same answer for any address, and mailed to known ones only', async () => {
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

  it('works once with the token of the mail, and ends every session', async () => {
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

  it('succeeds for one of several concurrent requests with the token', async () => {
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

  it('takes only the newest token, and none once the password has changed', async () => {
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

  it('takes only one token after several concurrent requests for a mail', async () => {
    const account = await register(server.url);
    await Promise.all(Array.from({ length: 5 }, () => forgot(account.email)));
    const tokens = await Promise.all(Array.from({ length: 5 }, () => sink.tokenFor(account.email)));
    const statuses: number[] = [];
    for (const [index, token] of tokens.entries()) statuses.push((await reset(token, `new-password-${index}`)).status);
    expect(statuses.sort()).toEqual([204, 400, 400, 400, 400]);
  });

  it('refuses a password that was used before, and the token stays valid', async () => {
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

  it('refuses one of the most common passwords, and the token stays valid', async () => {
    const account = await register(server.url);
    await forgot(account.email);
    const token = await sink.tokenFor(account.email);
    const { status, json } = await reset(token, 'trustno1');
    expect([status, json.error.details[0].path]).toEqual([400, 'new_password']);
    expect((await reset(token, 'not-so-common')).status).toBe(204);
  });

  it('is refused for a deactivated user', async () => {
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
