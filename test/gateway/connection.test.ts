import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAccessTokens } from '../../server/accounts/jwt/access-tokens.ts';
import { loadSigningKey } from '../../server/accounts/jwt/signing-key.ts';
import { type Account, connect, type Device, http, register } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { openSocket } from '../support/sockets.ts';

const JWT_SECRET = 'a secret that the tests and the server share';
let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { CORS_ORIGINS: 'https://app.example.test', JWT_SECRET } });
});
afterAll(() => server.stop());

interface Refusal {
  data?: { code: string };
}

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: Refusal) => error.data?.code ?? 'refused',
  );

const withToken = (account: Account, access_token: unknown): Account => ({
  ...account,
  access_token: access_token as string,
});

async function signInAgain(account: Account): Promise<Account> {
  const body = { login: account.username, password: account.password };
  return { ...account, ...(await http(server.url, 'POST', '/auth/login', { body })).json };
}

async function disconnected(device: Device): Promise<void> {
  if (device.socket.connected) await new Promise((resolve) => device.socket.once('disconnect', resolve));
}

/** An access token of an account's session with another lifetime than the server gives. */
async function tokenFor({ id, session_id }: Account, accessTokenTtlS: number): Promise<string> {
  const key = await loadSigningKey({ jwtSecret: JWT_SECRET, jwtPrivateKey: undefined, jwtAlsoVerify: [], dataDir: '' });
  const { access_token } = await createAccessTokens({
    key,
    config: { accessTokenTtlS },
    clock: () => new Date(),
  }).issue(id, session_id);
  return access_token;
}

/** Connects with a token that runs out within seconds; on a slow machine it may run out first, and another is tried. */
async function connectBriefly(account: Account): Promise<{ device: Device; token: string }> {
  for (;;) {
    const token = await tokenFor(account, 2);
    const device = await connect(server.url, withToken(account, token)).catch(() => undefined);
    if (device) return { device, token };
  }
}

describe('a connection', () => {
  it('is told who it is before anything else', async () => {
    const account = await register(server.url);
    const device = await connect(server.url, account, { auth: { device_info: { platform: 'web' } } });
    expect(device.events[0]?.name).toBe('session:ready');
    const [ready] = device.seen('session:ready');
    expect(ready).toMatchObject({ session_id: account.session_id, socket_id: device.socket.id, protocol: 1 });
    expect(ready?.user).toEqual(account.user);
    expect(Math.abs(Date.parse(ready!.server_time) - Date.now())).toBeLessThan(60_000);
  });

  it('is refused without a valid access token', async () => {
    const account = await register(server.url);
    for (const bad of [undefined, '', 'no', 7, { $gt: '' }, account.refresh_token, `${account.access_token}x`]) {
      expect(await refusal(connect(server.url, withToken(account, bad)))).toBe('unauthenticated');
    }
  });

  it('is refused with a token whose session has ended', async () => {
    const account = await register(server.url);
    expect((await http(server.url, 'POST', '/auth/logout', { token: account.access_token })).status).toBe(204);
    expect(await refusal(connect(server.url, account))).toBe('unauthenticated');
  });

  it('is refused with device details that break the contract', async () => {
    const account = await register(server.url);
    const auth = { device_info: { platform: 'x'.repeat(101) } };
    expect(await refusal(connect(server.url, account, { auth }))).toBe('validation_failed');
    expect(await refusal(connect(server.url, withToken(account, 'x'), { auth }))).toBe('unauthenticated');
  });

  it("is accepted from the server's own origin and configured ones, and refused from another", async () => {
    const account = await register(server.url);
    await connect(server.url, account, { headers: { origin: server.url } });
    await connect(server.url, account, { headers: { origin: 'https://app.example.test' } });
    expect(await refusal(connect(server.url, account, { headers: { origin: 'https://evil.test' } }))).toBeDefined();
    expect(await refusal(connect(server.url, account, { headers: { origin: 'null' } }))).toBeDefined();
  });

  it('waits with packets that arrive before it is ready', async () => {
    const [A, B] = [await register(server.url), await register(server.url)];
    const socket = openSocket(server.url, { token: A.access_token });
    const payload = { recipient_id: B.id, content: 'early' };
    const answer = await socket.timeout(15_000).emitWithAck('message:send', payload);
    expect(answer.ok).toBe(true);
    socket.disconnect();
  });
});

describe('a server behind a proxy', () => {
  let proxied: TestServer;
  beforeAll(async () => {
    const env = {
      TRUST_PROXY: 'on',
      PUBLIC_URL: 'https://www.example.test/app',
      CORS_ORIGINS: 'https://app.example.test',
    };
    proxied = await startServer({ env });
  });
  afterAll(() => proxied?.stop());

  it('accepts connections from the origin that the proxy was asked for, and only where it trusts the proxy', async () => {
    const headers = { origin: 'https://chat.example.test', 'x-forwarded-host': 'chat.example.test' };
    const account = await register(proxied.url);
    await connect(proxied.url, account, { headers });
    expect((await http(proxied.url, 'GET', '/users/me', { token: account.access_token, headers })).status).toBe(200);
    expect(await refusal(connect(server.url, await register(server.url), { headers }))).toBeDefined();
  });

  it('answers long polling to the pages of every allowed origin', async () => {
    for (const origin of ['https://www.example.test', 'https://app.example.test']) {
      const url = `${proxied.url}/socket.io/?EIO=4&transport=polling`;
      const { status, headers } = await fetch(url, { headers: { origin } });
      expect([status, headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    }
  });
});

describe('the session of a connection', () => {
  it('ends on each of its sockets, and on no other, with a logout', async () => {
    const account = await register(server.url);
    const [one, two] = [await connect(server.url, account), await connect(server.url, account)];
    const stays = await connect(server.url, await signInAgain(account));
    await http(server.url, 'POST', '/auth/logout', { token: account.access_token });
    await Promise.all([one.next('session:revoked'), two.next('session:revoked')]);
    await Promise.all([disconnected(one), disconnected(two)]);
    expect((await stays.raw('presence:get', { user_ids: [] })).ok).toBe(true);
    expect(stays.seen('session:revoked')).toEqual([]);
  });

  it('ends when another session changes the password', async () => {
    const account = await register(server.url);
    const device = await connect(server.url, await signInAgain(account));
    const body = { current_password: account.password, new_password: 'Another-horse-1' };
    const route = '/auth/password/change';
    expect((await http(server.url, 'POST', route, { token: account.access_token, body })).status).toBe(204);
    await device.next('session:revoked');
  });

  it('is renewed by a newer token of the same session only', async () => {
    const [account, stranger] = [await register(server.url), await register(server.url)];
    const device = await connect(server.url, account);
    const body = { refresh_token: account.refresh_token };
    const fresh = await http(server.url, 'POST', '/auth/refresh', { body });
    const { expires_in } = await device.ok('auth:renew', { token: fresh.json.access_token });
    expect(expires_in).toBeGreaterThan(0);
    expect((await device.refused('auth:renew', { token: stranger.access_token })).code).toBe('unauthenticated');
    expect((await device.refused('auth:renew', { token: 'no' })).code).toBe('unauthenticated');
    expect((await device.refused('auth:renew', {})).code).toBe('validation_failed');
  });

  it('outlives its access token for a while, in which it can be renewed', async () => {
    const account = await register(server.url);
    const { device, token } = await connectBriefly(account);
    await expect.poll(async () => (await http(server.url, 'GET', '/users/me', { token })).status).toBe(401);
    expect((await device.raw('presence:get', { user_ids: [] })).ok).toBe(true);
    expect(await refusal(connect(server.url, withToken(account, token)))).toBe('unauthenticated');
    const fresh = await http(server.url, 'POST', '/auth/refresh', { body: { refresh_token: account.refresh_token } });
    await device.ok('auth:renew', { token: fresh.json.access_token });
  });
});
