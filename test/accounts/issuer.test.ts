/** Tokens of another issuer in the place of the server's own: users, and servers that take them. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { connect, http, register, uniqueName } from '../support/client.ts';
import { startServerForTest } from '../support/server.ts';
import { makeKey, seconds, startIssuer } from './issuer.ts';
import { ended, issuerScene, refusal } from './issuer-scene.ts';

const scene = issuerScene();
const { me, sessionsOf, join, issuedBefore, issuedAfter } = scene;

describe('a token of the issuer', () => {
  it('is taken by the handshake, HTTP and auth:renew, for one user and one session', async () => {
    const sub = uniqueName('crm|');
    const device = await join(await scene.issuer.token({ sub, name: 'Ann Example' }));
    const { status, json } = await me(await scene.issuer.token({ sub }));
    expect(status).toBe(200);
    expect(json.user).toMatchObject({ _id: device.id, full_name: 'Ann Example', is_active: true });
    expect(json.user).not.toHaveProperty('external_id');
    const { expires_in } = await device.ok('auth:renew', {
      token: await scene.issuer.token({ sub, exp: seconds() + 900 }),
    });
    expect(expires_in).toBeGreaterThan(890);
    const { data } = (
      await http(scene.server.url, 'POST', '/api/conversation/list', { token: await scene.issuer.token({ sub }) })
    ).json;
    expect(data.conversations).toEqual([]);
    expect(await sessionsOf(await scene.issuer.token({ sub }))).toHaveLength(1);
  });

  it('lets its user chat with one who registered here', async () => {
    const [ann, bob] = await Promise.all([
      join(await scene.issuer.token({ sub: uniqueName() })),
      register(scene.server.url).then((account) => connect(scene.server.url, account)),
    ]);
    await ann.ok('message:send', { recipient_id: bob.id, content: 'hello' });
    const { message } = await bob.next('message:new');
    expect(message).toMatchObject({ sender_id: ann.id, content: 'hello' });
    await bob.ok('message:send', { recipient_id: ann.id, content: 'hello yourself' });
    await ann.next('message:new');
  });

  it('is refused by all of them when it is not good', async () => {
    const sub = uniqueName();
    const device = await join(await scene.issuer.token({ sub }));
    const bad = [
      await scene.issuer.token({ sub }, { key: { ...(await makeKey()), kid: scene.issuer.key.kid } }),
      await scene.issuer.token({ sub, exp: seconds() - 60 }),
      await scene.issuer.token({ sub, iss: 'letsapp' }),
      await scene.issuer.token({ sub: 'a\u0007' }),
      await scene.issuer.token({ sub, pad: 'x'.repeat(8000) }, { key: await makeKey() }),
    ];
    for (const token of bad) {
      expect(await refusal(join(token))).toBe('unauthenticated');
      expect((await me(token)).status).toBe(401);
      expect((await device.refused('auth:renew', { token })).code).toBe('unauthenticated');
    }
    expect(await refusal(join(await scene.issuer.token({ sub, pad: 'x'.repeat(100_000) })))).toBe('unauthenticated');
    const { status } = await http(
      scene.server.url,
      'GET',
      `/media/${'0'.repeat(24)}?token=${await scene.issuer.token({ sub })}`,
    );
    expect(status).toBe(401);
  });

  it('takes nothing from tokens of the server', async () => {
    const account = await register(scene.server.url);
    const device = await connect(scene.server.url, account);
    await device.ok('auth:renew', { token: account.access_token });
    expect((await me(account.access_token)).json.user.username).toBe(account.username);
    // Somebody of the issuer who is called as a user of the server is somebody else.
    const other = await join(await scene.issuer.token({ sub: account.id, sid: account.session_id }));
    expect(other.id).not.toBe(account.id);
    expect(other.sessionId).not.toBe(account.session_id);
  });
});

describe('a user at first sight', () => {
  const claims = (over: object = {}) => {
    const name = uniqueName('ann');
    return { sub: uniqueName(), preferred_username: name, email: `${name}@example.test`, name: 'Ann', ...over };
  };
  const seen = async (own: Record<string, unknown>) => (await me(await scene.issuer.token(own))).json.user;

  it('has the names and the address of the token, and later tokens change nothing', async () => {
    const own = claims();
    const user = await seen(own);
    expect(user).toMatchObject({ username: own.preferred_username, email: own.email, full_name: 'Ann' });
    expect(await seen({ ...claims(), sub: own.sub, name: 'Somebody Else' })).toEqual(user);
  });

  it('has another name where that is taken, and no address of others', async () => {
    const taken = await register(scene.server.url);
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
    expect((await http(scene.server.url, 'POST', '/auth/login', { body: login })).status).toBe(401);
    const token = await issuedBefore(own);
    expect((await http(scene.server.url, 'DELETE', '/users/me', { token, body: {} })).status).toBe(204);
    await ended(device);
    // Deactivated for good: later tokens make no new user, either.
    expect((await me(await issuedAfter(own))).status).toBe(401);
    expect(await refusal(join(await issuedAfter({ ...own, sid: 'another' })))).toBe('unauthenticated');
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
    const { url } = await startServerForTest({ env: { ...scene.issuer.env, AUTH_LOCAL: 'off' } });
    const token = await scene.issuer.token({ sub: uniqueName() });
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
