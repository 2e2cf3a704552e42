import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Account, connect, type Device, http, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, startServerForTest, type TestServer } from '../support/server.ts';

let database: TestDatabase;
let server: TestServer;
/** The settings of a further node. */
let env: Record<string, string>;
beforeAll(async () => {
  database = await startDatabase();
  env = { MONGODB_URL: database.url, JWT_SECRET: 'a secret that all of the nodes have' };
  server = await startServer({ env });
});
afterAll(async () => {
  await server?.stop();
  await database?.stop();
});

const refresh = (refresh_token: string, base = server.url) =>
  http(base, 'POST', '/auth/refresh', { body: { refresh_token } });
const me = (token: string, base = server.url) => http(base, 'GET', '/users/me', { token });
const login = async (account: Account, body: object = {}): Promise<Account> => {
  const { status, json } = await http(server.url, 'POST', '/auth/login', {
    body: { login: account.username, password: account.password, ...body },
  });
  expect(status).toBe(200);
  return { ...account, ...json };
};

async function revoked(device: Device): Promise<void> {
  await device.next('session:revoked');
  if (device.socket.connected) await new Promise((resolve) => device.socket.once('disconnect', resolve));
}

describe('a refresh token', () => {
  it('is exchanged for new tokens of the same session, again and again', async () => {
    const account = await register(server.url);
    let { refresh_token, access_token } = account;
    for (let round = 0; round < 5; round++) {
      const { status, json } = await refresh(refresh_token);
      expect(status).toBe(200);
      expect(Object.keys(json).sort()).toEqual(['access_token', 'expires_in', 'refresh_token', 'session_id']);
      expect(json.session_id).toBe(account.session_id);
      expect(json.refresh_token).not.toBe(refresh_token);
      expect(json.access_token).not.toBe(access_token);
      ({ refresh_token, access_token } = json);
      expect((await me(access_token)).status).toBe(200);
    }
  });

  it('used before ends its session, however long ago that was, and no other session', async () => {
    const account = await register(server.url);
    const other = await login(account);
    let newest = account.refresh_token;
    let accessToken = account.access_token;
    for (let round = 0; round < 12; round++) {
      const { json } = await refresh(newest);
      newest = json.refresh_token;
      accessToken = json.access_token;
    }
    const device = await connect(server.url, { ...account, access_token: accessToken });
    const reused = await refresh(account.refresh_token);
    expect(reused.status).toBe(401);
    expect(reused.json.error.code).toBe('unauthenticated');
    await revoked(device);
    expect((await me(accessToken)).status).toBe(401);
    expect((await refresh(newest)).status).toBe(401);
    expect((await me(other.access_token)).status).toBe(200);
  });

  it('presented by many at once serves one of them and ends the session', async () => {
    const account = await register(server.url);
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(account.refresh_token)));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(7);
    expect((await refresh(won[0]!.json.refresh_token)).status).toBe(401);
  });

  it('that the server never made is refused and ends nothing', async () => {
    const account = await register(server.url);
    const [session, secret, tag] = account.refresh_token.split('.') as [string, string, string];
    const altered = (text: string) => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
    // Decoding would ignore bits of the last character.
    const last = tag.at(-1)!;
    const sibling = String.fromCharCode(last.charCodeAt(0) + 1);
    for (const guess of [
      'x',
      account.access_token,
      `${account.refresh_token}x`,
      account.refresh_token.slice(0, -1),
      `${session}.${altered(secret)}.${tag}`,
      `${session}.${secret}.${altered(tag)}`,
      `${session}.${secret}.${tag.slice(0, -1)}${sibling}`,
      `${'f'.repeat(24)}.${secret}.${tag}`,
    ]) {
      expect((await refresh(guess)).status).toBe(401);
    }
    expect((await me(account.access_token)).status).toBe(200);
    expect((await refresh(account.refresh_token)).status).toBe(200);
  });
});

describe('sessions', () => {
  it('are listed newest first, with their devices and the current one marked', async () => {
    const account = await register(server.url);
    const phone = await login(account, { device_info: { device_type: 'phone', platform: 'android' } });
    const { status, json } = await http(server.url, 'GET', '/auth/sessions', { token: account.access_token });
    expect(status).toBe(200);
    expect(json.sessions.map((session: { session_id: string }) => session.session_id)).toEqual([
      phone.session_id,
      account.session_id,
    ]);
    expect(json.sessions[0]).toMatchObject({
      device_info: { device_type: 'phone', platform: 'android' },
      current: false,
      created_at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
      last_used_at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/),
    });
    expect(json.sessions[1]).toMatchObject({ device_info: {}, current: true });
  });

  it('are listed a hundred at a time, each once, even where many began in the same millisecond', async () => {
    const account = await register(server.url);
    const began = new Date(Date.now() - 60_000);
    const inserted = Array.from({ length: 250 }, (_, i) => ({
      _id: new ObjectId(),
      user_id: new ObjectId(account.id),
      token_hash: 'none',
      created_at: new Date(began.getTime() - Math.floor(i / 150)),
      last_used_at: began,
      expires_at: new Date(Date.now() + 60_000),
    }));
    const client = await new MongoClient(database.url).connect();
    onTestFinished(() => client.close());
    await client.db().collection('sessions').insertMany(inserted);
    const page = (query: string) => http(server.url, 'GET', `/auth/sessions${query}`, { token: account.access_token });
    const pages: string[][] = [];
    let query = '';
    for (let hasMore = true; hasMore; ) {
      const { status, json } = await page(query);
      expect(status).toBe(200);
      pages.push(json.sessions.map(({ session_id }: { session_id: string }) => session_id));
      hasMore = json.has_more === true;
      query = `?before=${pages.at(-1)!.at(-1)}`;
    }
    expect(pages.map(({ length }) => length)).toEqual([100, 100, 51]);
    expect(pages[0]![0]).toBe(account.session_id);
    expect(new Set(pages.flat()).size).toBe(251);
    const stranger = await register(server.url);
    expect((await page(`?before=${stranger.session_id}`)).json.error.code).toBe('not_found');
    for (const malformed of ['?before=x', '?after=1']) {
      expect((await page(malformed)).json.error.code).toBe('validation_failed');
    }
  });

  it('end with a logout: HTTP, refresh, sockets and handshakes are refused at once', async () => {
    const account = await register(server.url);
    const device = await connect(server.url, account);
    const { status } = await http(server.url, 'POST', '/auth/logout', { token: account.access_token });
    expect(status).toBe(204);
    await revoked(device);
    expect((await me(account.access_token)).status).toBe(401);
    expect((await refresh(account.refresh_token)).status).toBe(401);
    await expect(connect(server.url, account)).rejects.toMatchObject({ data: { code: 'unauthenticated' } });
    expect((await http(server.url, 'POST', '/auth/logout', { token: account.access_token })).status).toBe(401);
  });

  it('can be ended one by one, by their user only', async () => {
    const account = await register(server.url);
    const other = await login(account);
    const stranger = await register(server.url);
    const end = (token: string, id: string) => http(server.url, 'DELETE', `/auth/sessions/${id}`, { token });
    expect((await end(stranger.access_token, other.session_id)).status).toBe(404);
    expect((await end(account.access_token, 'f'.repeat(24))).status).toBe(404);
    for (const malformed of ['no-id', 'F'.repeat(24), '%00', 'x'.repeat(500)]) {
      const { status, json } = await end(account.access_token, malformed);
      expect(status).toBe(400);
      expect(json.error.code).toBe('validation_failed');
    }
    expect((await end(account.access_token, other.session_id)).status).toBe(204);
    expect((await me(other.access_token)).status).toBe(401);
    expect((await end(account.access_token, other.session_id)).status).toBe(404);
    expect((await me(account.access_token)).status).toBe(200);
  });

  it('are required: without one, routes answer 401 before they read the body', async () => {
    for (const [method, route] of [
      ['POST', '/auth/logout'],
      ['GET', '/auth/sessions'],
      ['DELETE', '/auth/sessions/no-id'],
      ['POST', '/auth/password/change'],
      ['GET', '/users/me'],
      ['PATCH', '/users/me'],
      ['DELETE', '/users/me'],
    ] as const) {
      for (const authorization of ['', 'Bearer', 'Bearer x', 'Basic eDp4', 'Bearer a b']) {
        const { status, json, headers } = await http(server.url, method, route, { headers: { authorization } });
        expect(status).toBe(401);
        expect(json.error.code).toBe('unauthenticated');
        expect(headers.get('www-authenticate')).toBe('Bearer');
      }
    }
  });

  it('run out when they are unused for the lifetime of a refresh token', async () => {
    const short = await startServerForTest({ env: { ...env, REFRESH_TOKEN_TTL_S: '1', ACCESS_TOKEN_TTL_S: '60' } });
    const account = await register(short.url);
    expect(account.expires_in).toBe(60);
    await expect.poll(async () => (await me(account.access_token, short.url)).status).toBe(401);
    expect((await refresh(account.refresh_token, short.url)).status).toBe(401);
  });

  it('ended on one node are refused and disconnected on another', async () => {
    const two = await startServerForTest({ env });
    const account = await register(server.url);
    const other = await login(account);
    const device = await connect(two.url, account);
    const changed = await http(server.url, 'POST', '/auth/password/change', {
      token: other.access_token,
      body: { current_password: account.password, new_password: 'another-password' },
    });
    expect(changed.status).toBe(204);
    expect((await me(account.access_token, two.url)).status).toBe(401);
    await revoked(device);
    expect((await me(other.access_token, two.url)).status).toBe(200);
    expect((await refresh(other.refresh_token, two.url)).status).toBe(200);
  });
});
