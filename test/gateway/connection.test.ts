import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, http, register } from '../support/client.ts';
import { startServer, startServerForTest, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({ env: { CORS_ORIGINS: 'https://app.example.test' } });
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

async function disconnected(device: Awaited<ReturnType<typeof connect>>): Promise<void> {
  if (device.socket.connected) await new Promise((resolve) => device.socket.once('disconnect', resolve));
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

  it('is refused without a good access token', async () => {
    const account = await register(server.url);
    for (const bad of [undefined, '', 'no', 7, { $gt: '' }, account.refresh_token, `${account.access_token}x`]) {
      expect(await refusal(connect(server.url, withToken(account, bad)))).toBe('unauthenticated');
    }
  });

  it('is refused with a token whose session was ended', async () => {
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

  it('is accepted from its own origin and the configured ones, and refused from another', async () => {
    const account = await register(server.url);
    await connect(server.url, account, { headers: { origin: server.url } });
    await connect(server.url, account, { headers: { origin: 'https://app.example.test' } });
    expect(await refusal(connect(server.url, account, { headers: { origin: 'https://evil.test' } }))).toBeDefined();
    expect(await refusal(connect(server.url, account, { headers: { origin: 'null' } }))).toBeDefined();
  });

  it('is accepted from the origin that a trusted proxy was asked for, as over HTTP, and without trust refused', async () => {
    const trusting = await startServerForTest({ env: { TRUST_PROXY: 'on' } });
    const headers = { origin: 'https://chat.example.test', 'x-forwarded-host': 'chat.example.test' };
    const account = await register(trusting.url);
    await connect(trusting.url, account, { headers });
    expect((await http(trusting.url, 'GET', '/users/me', { token: account.access_token, headers })).status).toBe(200);
    expect(await refusal(connect(server.url, await register(server.url), { headers }))).toBeDefined();
  });

  it('of long polling is readable to the pages of every origin that may connect', async () => {
    const env = { PUBLIC_URL: 'https://chat.example.test/app', CORS_ORIGINS: 'https://app.example.test' };
    const { url } = await startServerForTest({ env });
    for (const origin of ['https://chat.example.test', 'https://app.example.test']) {
      const { status, headers } = await fetch(`${url}/socket.io/?EIO=4&transport=polling`, { headers: { origin } });
      expect([status, headers.get('access-control-allow-origin')]).toEqual([200, origin]);
    }
  });

  it('keeps what is sent before it is ready', async () => {
    const [A, B] = [await register(server.url), await register(server.url)];
    const { io } = await import('socket.io-client');
    const socket = io(server.url, { transports: ['websocket'], forceNew: true, auth: { token: A.access_token } });
    const answer = await socket.timeout(5000).emitWithAck('message:send', { recipient_id: B.id, content: 'early' });
    expect(answer.ok).toBe(true);
    socket.disconnect();
  });
});

describe('the session of a connection', () => {
  it('ends on every socket of it, and on no other, when it is signed out', async () => {
    const account = await register(server.url);
    const body = { login: account.username, password: account.password };
    const other = await http(server.url, 'POST', '/auth/login', { body });
    const [one, two] = [await connect(server.url, account), await connect(server.url, account)];
    const stays = await connect(server.url, { ...account, ...other.json });
    await http(server.url, 'POST', '/auth/logout', { token: account.access_token });
    await Promise.all([one.next('session:revoked'), two.next('session:revoked')]);
    await Promise.all([disconnected(one), disconnected(two)]);
    expect((await stays.raw('presence:get', { user_ids: [] })).ok).toBe(true);
    expect(stays.seen('session:revoked')).toEqual([]);
  });

  it('ends everywhere else within two seconds when the password changes', async () => {
    const account = await register(server.url);
    const body = { login: account.email, password: account.password };
    const other = await http(server.url, 'POST', '/auth/login', { body });
    const device = await connect(server.url, { ...account, ...other.json });
    const change = { current_password: account.password, new_password: 'Another-horse-1' };
    const route = '/auth/password/change';
    expect((await http(server.url, 'POST', route, { token: account.access_token, body: change })).status).toBe(204);
    await device.next('session:revoked', undefined, 2000);
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

  it('stays connected for a while after the token ran out, and longer when it is renewed', async () => {
    const quick = await startServerForTest({ env: { ACCESS_TOKEN_TTL_S: '5' } });
    const account = await register(quick.url);
    const device = await connect(quick.url, account);
    await new Promise((resolve) => setTimeout(resolve, 5500));
    expect((await device.raw('presence:get', { user_ids: [] })).ok).toBe(true);
    expect(await refusal(connect(quick.url, account))).toBe('unauthenticated');
    const fresh = await http(quick.url, 'POST', '/auth/refresh', { body: { refresh_token: account.refresh_token } });
    await device.ok('auth:renew', { token: fresh.json.access_token });
  });
});
