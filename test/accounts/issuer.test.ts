/** Tokens of another issuer in the place of the server's own: users, sessions, and their endings. */
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Account, connect, type Device, http, register, uniqueName } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { startCountedServer } from '../support/counted-server.ts';
import { startDatabase } from '../support/database.ts';
import { startServer, startServerForTest, type TestServer } from '../support/server.ts';
import { makeKey, seconds, startIssuer, type TestIssuer } from './issuer.ts';

let issuer: TestIssuer;
let server: TestServer;
beforeAll(async () => {
  issuer = await startIssuer();
  server = await startServer({ env: issuer.env });
});
afterAll(async () => {
  await server?.stop();
  await issuer?.close();
});

const me = (token: string, base = server.url) => http(base, 'GET', '/users/me', { token });
const sessionsOf = async (token: string, base = server.url) =>
  (await http(base, 'GET', '/auth/sessions', { token })).json.sessions;

/** A device that connects by a token. Nobody registered its account. */
async function join(token: string, base = server.url): Promise<Device & { sessionId: string }> {
  const device = await connect(base, { access_token: token } as Account);
  const { user, session_id } = await device.next('session:ready');
  return Object.assign(device, { id: user._id, sessionId: session_id });
}

const refusal = (joining: Promise<Device>) =>
  joining.then(
    () => 'taken',
    (error) => error.data?.code,
  );

async function ended(device: Device): Promise<void> {
  await device.next('session:revoked');
  if (device.socket.connected) await new Promise((resolve) => device.socket.once('disconnect', resolve));
}

/** A token that was issued long enough ago that another one is surely later. */
const issuedBefore = (claims: Record<string, unknown>) => issuer.token({ iat: seconds() - 10, ...claims });
/** Issued after whatever has ended by now: `iat` counts whole seconds. */
const issuedAfter = (claims: Record<string, unknown>) => issuer.token({ iat: seconds() + 1, ...claims });

describe('a token of the issuer', () => {
  it('is taken by the handshake, HTTP and auth:renew, for one user and one session', async () => {
    const sub = uniqueName('crm|');
    const device = await join(await issuer.token({ sub, name: 'Ann Example' }));
    const { status, json } = await me(await issuer.token({ sub }));
    expect(status).toBe(200);
    expect(json.user).toMatchObject({ _id: device.id, full_name: 'Ann Example', is_active: true });
    expect(json.user).not.toHaveProperty('external_id');
    const { expires_in } = await device.ok('auth:renew', { token: await issuer.token({ sub, exp: seconds() + 900 }) });
    expect(expires_in).toBeGreaterThan(890);
    const { data } = (await http(server.url, 'POST', '/api/conversation/list', { token: await issuer.token({ sub }) }))
      .json;
    expect(data.conversations).toEqual([]);
    expect(await sessionsOf(await issuer.token({ sub }))).toHaveLength(1);
  });

  it('lets its user chat with one who registered here', async () => {
    const [ann, bob] = await Promise.all([
      join(await issuer.token({ sub: uniqueName() })),
      register(server.url).then((account) => connect(server.url, account)),
    ]);
    await ann.ok('message:send', { recipient_id: bob.id, content: 'hello' });
    const { message } = await bob.next('message:new');
    expect(message).toMatchObject({ sender_id: ann.id, content: 'hello' });
    await bob.ok('message:send', { recipient_id: ann.id, content: 'hello yourself' });
    await ann.next('message:new');
  });

  it('is refused by all of them when it is not good', async () => {
    const sub = uniqueName();
    const device = await join(await issuer.token({ sub }));
    const bad = [
      await issuer.token({ sub }, { key: { ...(await makeKey()), kid: issuer.key.kid } }),
      await issuer.token({ sub, exp: seconds() - 60 }),
      await issuer.token({ sub, iss: 'letsapp' }),
      await issuer.token({ sub: 'a\u0007' }),
      await issuer.token({ sub, pad: 'x'.repeat(8000) }, { key: await makeKey() }),
    ];
    for (const token of bad) {
      expect(await refusal(join(token))).toBe('unauthenticated');
      expect((await me(token)).status).toBe(401);
      expect((await device.refused('auth:renew', { token })).code).toBe('unauthenticated');
    }
    expect(await refusal(join(await issuer.token({ sub, pad: 'x'.repeat(100_000) })))).toBe('unauthenticated');
    const { status } = await http(server.url, 'GET', `/media/${'0'.repeat(24)}?token=${await issuer.token({ sub })}`);
    expect(status).toBe(401);
  });

  it('takes nothing from tokens of the server', async () => {
    const account = await register(server.url);
    const device = await connect(server.url, account);
    await device.ok('auth:renew', { token: account.access_token });
    expect((await me(account.access_token)).json.user.username).toBe(account.username);
    // Somebody of the issuer who is called as a user of the server is somebody else.
    const other = await join(await issuer.token({ sub: account.id, sid: account.session_id }));
    expect(other.id).not.toBe(account.id);
    expect(other.sessionId).not.toBe(account.session_id);
  });
});

describe('a user at first sight', () => {
  const claims = (over: object = {}) => {
    const name = uniqueName('ann');
    return { sub: uniqueName(), preferred_username: name, email: `${name}@example.test`, name: 'Ann', ...over };
  };
  const seen = async (own: Record<string, unknown>) => (await me(await issuer.token(own))).json.user;

  it('has the names and the address of the token, and later tokens change nothing', async () => {
    const own = claims();
    const user = await seen(own);
    expect(user).toMatchObject({ username: own.preferred_username, email: own.email, full_name: 'Ann' });
    expect(await seen({ ...claims(), sub: own.sub, name: 'Somebody Else' })).toEqual(user);
  });

  it('has another name where that is taken, and no address of others', async () => {
    const taken = await register(server.url);
    const own = claims({ preferred_username: taken.username.toUpperCase(), email: taken.email.toUpperCase() });
    const user = await seen(own);
    expect(user.username).toMatch(new RegExp(`^${taken.username.toUpperCase()}_[0-9a-f]{4}$`));
    expect(user.email).toMatch(/^[0-9a-f]{32}@external\.invalid$/);
    const again = await seen({ ...own, sub: uniqueName() });
    expect(again.username).toMatch(new RegExp(`^${taken.username.toUpperCase()}_[0-9a-f]{4}$`));
  });

  it('has no address that the issuer does not stand by', async () => {
    const own = claims({ email_verified: false });
    expect((await seen(own)).email).toMatch(/@external\.invalid$/);
    // So it is free.
    expect((await seen(claims({ email: own.email, email_verified: true }))).email).toBe(own.email);
  });

  it('is made up where the token says nothing', async () => {
    const user = await seen({ sub: uniqueName() });
    expect(user.username).toMatch(/^user_[0-9a-f]{8}$/);
    expect(user).toMatchObject({ full_name: null, bio: '', is_active: true });
  });

  it('cannot sign in, nor get a password, and deletes the account without one', async () => {
    const own = claims();
    const device = await join(await issuedBefore(own));
    const login = { login: own.preferred_username, password: '' };
    expect((await http(server.url, 'POST', '/auth/login', { body: login })).status).toBe(401);
    const token = await issuedBefore(own);
    expect((await http(server.url, 'DELETE', '/users/me', { token, body: {} })).status).toBe(204);
    await ended(device);
    // Deactivated for good: later tokens make no new user, either.
    expect((await me(await issuedAfter(own))).status).toBe(401);
    expect(await refusal(join(await issuedAfter({ ...own, sid: 'another' })))).toBe('unauthenticated');
  });
});

describe('the session of a token', () => {
  it('is that of its `sid`, of one user alone', async () => {
    const [sub, sid] = [uniqueName(), uniqueName()];
    const one = await join(await issuer.token({ sub, sid }));
    const same = await join(await issuer.token({ sub, sid }));
    const other = await join(await issuer.token({ sub, sid: `${sid}2` }));
    const none = await join(await issuer.token({ sub }));
    const stranger = await join(await issuer.token({ sub: uniqueName(), sid }));
    expect(same.sessionId).toBe(one.sessionId);
    expect(new Set([one, other, none, stranger].map(({ sessionId }) => sessionId)).size).toBe(4);
    expect(one.sessionId).toMatch(/^[0-9a-f]{24}$/);
    const listed = await sessionsOf(await issuer.token({ sub, sid }));
    expect(listed.map(({ session_id }: { session_id: string }) => session_id).sort()).toEqual(
      [one, other, none].map(({ sessionId }) => sessionId).sort(),
    );
    expect(listed.filter(({ current }: { current: boolean }) => current)).toMatchObject([
      { session_id: one.sessionId },
    ]);
    expect(Object.keys(listed[0]).sort()).toEqual([
      'created_at',
      'current',
      'device_info',
      'last_used_at',
      'session_id',
    ]);
  });

  it('is the only one whose tokens renew a connection', async () => {
    const [sub, sid] = [uniqueName(), uniqueName()];
    const device = await join(await issuer.token({ sub, sid }));
    await device.ok('auth:renew', { token: await issuer.token({ sub, sid }) });
    const { access_token } = await register(server.url);
    for (const token of [
      await issuer.token({ sub }),
      await issuer.token({ sub, sid: 'other' }),
      await issuer.token({ sub: uniqueName(), sid }),
      access_token,
    ])
      expect((await device.refused('auth:renew', { token })).code).toBe('unauthenticated');
    expect(device.socket.connected).toBe(true);
  });

  it.each(['POST /auth/logout', 'DELETE /auth/sessions/:id'])(
    'once ended by %s refuses what was issued before',
    async (how) => {
      const [sub, sid] = [uniqueName(), uniqueName()];
      const token = await issuedBefore({ sub, sid });
      const [device, bystander] = await Promise.all([join(token), join(await issuedBefore({ sub }))]);
      const [method, path] = how.split(' ') as [string, string];
      const route = path.replace(':id', device.sessionId);
      expect((await http(server.url, method, route, { token })).status).toBe(204);
      await ended(device);
      // Of the very second of the ending it is not sure, and without `iat` it never is.
      for (const before of [
        token,
        await issuedBefore({ sub, sid }),
        await issuer.token({ sub, sid, iat: undefined }),
      ]) {
        expect((await me(before)).status).toBe(401);
        expect(await refusal(join(before))).toBe('unauthenticated');
      }
      expect(bystander.socket.connected).toBe(true);
      expect((await http(server.url, method, route, { token })).status).toBe(401);
    },
  );

  it('is begun anew by a later token, again and again, and by no earlier one', async () => {
    const sub = uniqueName();
    const ids = new Set<string>();
    let iat = seconds();
    for (let round = 0; round < 4; round++) {
      const before = await issuer.token({ sub, iat: iat - 5 });
      const token = await issuer.token({ sub, iat });
      const device = await join(token);
      ids.add(device.sessionId);
      if (round > 0) expect((await me(before)).status).toBe(401);
      expect(await sessionsOf(token)).toMatchObject([{ session_id: device.sessionId, current: true }]);
      expect((await http(server.url, 'POST', '/auth/logout', { token })).status).toBe(204);
      await ended(device);
      expect((await me(token)).status).toBe(401);
      // Later than this ending, whichever second it is.
      iat = seconds() + 1 + round;
    }
    // A session of its own each time: news of an ending that come late end nothing that began since.
    expect(ids.size).toBe(4);
  });

  it('begins anew once, however many come at the same moment', async () => {
    const sub = uniqueName();
    const token = await issuedBefore({ sub });
    await me(token);
    await http(server.url, 'POST', '/auth/logout', { token });
    const later = await issuedAfter({ sub });
    const devices = await Promise.all(Array.from({ length: 10 }, () => join(later)));
    expect(new Set(devices.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(await sessionsOf(later)).toHaveLength(1);
  });

  it('costs a request two reads of the store, and many at once hardly more', async () => {
    const { server: counted, proxy, stop } = await startCountedServer(issuer.env);
    onTestFinished(stop);
    const token = await issuer.token({ sub: uniqueName() });
    await Promise.all(Array.from({ length: 20 }, () => me(token, counted.url)));
    // However many come at first sight.
    const made = proxy.commands().filter(({ name, collection }) => name === 'findAndModify' && collection === 'users');
    expect(made).toHaveLength(1);
    const asked = () =>
      proxy
        .commands()
        // By the keys of the token; the node itself looks for other things now and then.
        .filter(
          ({ collection, body: { filter } }) => ({ users: filter?.external_id, sessions: filter?._id })[collection],
        )
        .map(({ name, collection }) => `${name} ${collection}`)
        .sort();
    proxy.reset();
    await me(token, counted.url);
    expect(asked()).toEqual(['find sessions', 'find users']);
    proxy.reset();
    await Promise.all(Array.from({ length: 60 }, () => me(token, counted.url)));
    expect(asked().length).toBeLessThan(60);
  });
});

describe('two nodes', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster(2, issuer.env);
  });
  afterAll(() => cluster?.stop());
  const nodeOf = (i: number) => cluster.urls[i % 2]!;

  it('make one user and one session of fifty devices that come at the same moment', async () => {
    const name = uniqueName('crowd');
    const own = { sub: uniqueName(), preferred_username: name, email: `${name}@example.test` };
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, i) => issuer.token({ ...own, jti: `${i}` })));
    const devices = await Promise.all(tokens.map((token, i) => join(token, nodeOf(i))));
    expect(new Set(devices.map(({ id }) => id)).size).toBe(1);
    expect(new Set(devices.map(({ sessionId }) => sessionId)).size).toBe(1);
    const { user } = await devices[0]!.next('session:ready');
    expect(user).toMatchObject({ username: name, email: own.email });
    expect(await sessionsOf(tokens[0]!, nodeOf(1))).toHaveLength(1);
    for (const device of devices) device.close();
  });

  it('end a session for both, and begin it anew for both', async () => {
    const sub = uniqueName();
    const token = await issuedBefore({ sub });
    const devices = await Promise.all([0, 1].map((i) => join(token, nodeOf(i))));
    expect((await http(nodeOf(0), 'POST', '/auth/logout', { token })).status).toBe(204);
    expect((await me(token, nodeOf(1))).status).toBe(401);
    await Promise.all(devices.map(ended));
    const later = await issuedAfter({ sub });
    const [one, two] = await Promise.all([0, 1].map((i) => join(later, nodeOf(i))));
    expect(one!.sessionId).toBe(two!.sessionId);
    expect(one!.sessionId).not.toBe(devices[0]!.sessionId);
    // What is still told of the earlier session does not concern the new one.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect([one!.socket.connected, two!.socket.connected]).toEqual([true, true]);
  });

  it('tell of an ending by the database while Redis is away, though the session has begun anew meanwhile', async () => {
    const sub = uniqueName();
    const token = await issuedBefore({ sub });
    const device = await join(token, nodeOf(1));
    for (const way of cluster.toRedis) way.cut();
    onTestFinished(() => {
      for (const way of cluster.toRedis) way.pass();
    });
    expect((await http(nodeOf(0), 'POST', '/auth/logout', { token })).status).toBe(204);
    const later = await issuedAfter({ sub });
    expect((await me(later, nodeOf(0))).status).toBe(200);
    await device.next('session:revoked');
    expect((await me(later, nodeOf(1))).status).toBe(200);
  });
});

describe('a user whose sessions were all ended', () => {
  it('begins none by tokens from before once active again, not even one that was never seen', async () => {
    const database = await startDatabase();
    onTestFinished(() => database.stop());
    const { url } = await startServerForTest({ env: { ...issuer.env, MONGODB_URL: database.url } });
    const client = new MongoClient(database.url);
    onTestFinished(() => client.close());
    const sub = uniqueName();
    const token = await issuedBefore({ sub, sid: 'seen' });
    expect((await http(url, 'DELETE', '/users/me', { token, body: {} })).status).toBe(204);
    await client
      .db()
      .collection('users')
      .updateOne({ external_id: sub }, { $set: { is_active: true } });
    for (const sid of ['seen', 'unseen', undefined])
      expect((await me(await issuedBefore({ sub, sid }), url)).status).toBe(401);
    for (const sid of ['seen', 'unseen', undefined])
      expect((await me(await issuedAfter({ sub, sid }), url)).status).toBe(200);
  });
});

describe('a server', () => {
  it('answers unavailable while it could never read the keys, and takes tokens once it can', async () => {
    const own = await startIssuer();
    onTestFinished(own.close);
    own.answer = (response) => response.writeHead(503).end();
    const { url } = await startServerForTest({ env: own.env });
    const token = await own.token({ sub: uniqueName() });
    expect(await refusal(join(token, url))).toBe('unavailable');
    expect(await me(token, url)).toMatchObject({ status: 503, json: { error: { code: 'unavailable' } } });
    expect((await me((await register(url)).access_token, url)).status).toBe(200);
    own.answer = undefined;
    expect((await me(token, url)).status).toBe(200);
    own.answer = () => {};
    expect((await me(token, url)).status).toBe(200);
    const stranger = await own.token({}, { key: await makeKey() });
    expect((await me(stranger, url)).status).toBe(401);
  });

  it('without accounts of its own has no registration, no sign-in and no passwords', async () => {
    const { url } = await startServerForTest({ env: { ...issuer.env, AUTH_LOCAL: 'off' } });
    const token = await issuer.token({ sub: uniqueName() });
    expect((await me(token, url)).status).toBe(200);
    for (const route of ['register', 'login', 'password/change', 'password/forgot', 'password/reset', 'password/x'])
      for (const options of [{ body: {} }, { body: {}, token }, {}])
        expect(await http(url, 'POST', `/auth/${route}`, options)).toMatchObject({
          status: 404,
          json: { error: { code: 'not_found' } },
        });
    expect((await http(url, 'POST', '/auth/refresh', { body: { refresh_token: 'x' } })).status).toBe(401);
    expect((await http(url, 'POST', '/auth/logout', { token })).status).toBe(204);
  });
});
