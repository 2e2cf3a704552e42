import { beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, http, register } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await sharedServer();
});

const post = (route: string, body: unknown, token?: string) =>
  http(server.url, 'POST', route, { body, ...(token ? { token } : {}) });
const change = (account: Account, current_password: string, new_password: string) =>
  post('/auth/password/change', { current_password, new_password }, account.access_token);
const signIn = async (account: Account, password: string) =>
  (await post('/auth/login', { login: account.username, password })).status;

describe('changing the password', () => {
  it('needs the current password', async () => {
    const account = await register(server.url);
    const { status, json } = await change(account, 'wrong-password', 'new-password');
    expect(status).toBe(403);
    expect(json.error.code).toBe('forbidden');
    expect(await signIn(account, account.password)).toBe(200);
  });

  it('keeps its session and ends all others', async () => {
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

  it('refuses the current password and the five before it, and accepts the sixth', async () => {
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

  it('succeeds for one of several concurrent requests', async () => {
    const account = await register(server.url);
    const wanted = Array.from({ length: 6 }, (_, index) => `wanted-password-${index}`);
    const answers = await Promise.all(wanted.map((password) => change(account, account.password, password)));
    const won = wanted.filter((_, index) => answers[index]!.status === 204);
    expect(won).toHaveLength(1);
    for (const { status } of answers) expect([204, 403, 409]).toContain(status);
    const works = await Promise.all(wanted.map((password) => signIn(account, password)));
    expect(wanted.filter((_, index) => works[index] === 200)).toEqual(won);
  });

  it('leaves no session to a concurrent sign-in with the old password', async () => {
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

  it('refuses a new password that is too short, too long or among the most common', async () => {
    const account = await register(server.url);
    for (const bad of ['short', 'x'.repeat(73), 'password1', 'QWERTYUIOP', '\u0958'.repeat(24)]) {
      const { status, json } = await change(account, account.password, bad);
      expect([status, json.error.details[0].path]).toEqual([400, 'new_password']);
    }
    expect(await signIn(account, account.password)).toBe(200);
  });
});
