/** The sessions of tokens of another issuer, and their endings. */
import { MongoClient } from 'mongodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import { http, register, uniqueName } from '../support/client.ts';
import { startCountedServer } from '../support/counted-server.ts';
import { startDatabase } from '../support/database.ts';
import { startServerForTest } from '../support/server.ts';
import { seconds } from './issuer.ts';
import { ended, issuerScene, refusal } from './issuer-scene.ts';

const scene = issuerScene();
const { me, sessionsOf, join, issuedBefore, issuedAfter } = scene;

describe('the session of a token', () => {
  it('is that of its `sid`, of one user alone', async () => {
    const [sub, sid] = [uniqueName(), uniqueName()];
    const one = await join(await scene.issuer.token({ sub, sid }));
    const same = await join(await scene.issuer.token({ sub, sid }));
    const other = await join(await scene.issuer.token({ sub, sid: `${sid}2` }));
    const none = await join(await scene.issuer.token({ sub }));
    const stranger = await join(await scene.issuer.token({ sub: uniqueName(), sid }));
    expect(same.sessionId).toBe(one.sessionId);
    expect(new Set([one, other, none, stranger].map(({ sessionId }) => sessionId)).size).toBe(4);
    expect(one.sessionId).toMatch(/^[0-9a-f]{24}$/);
    const listed = await sessionsOf(await scene.issuer.token({ sub, sid }));
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
    const device = await join(await scene.issuer.token({ sub, sid }));
    await device.ok('auth:renew', { token: await scene.issuer.token({ sub, sid }) });
    const { access_token } = await register(scene.server.url);
    for (const token of [
      await scene.issuer.token({ sub }),
      await scene.issuer.token({ sub, sid: 'other' }),
      await scene.issuer.token({ sub: uniqueName(), sid }),
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
      expect((await http(scene.server.url, method, route, { token })).status).toBe(204);
      await ended(device);
      // Of the very second of the ending it is not sure, and without `iat` it never is.
      for (const before of [
        token,
        await issuedBefore({ sub, sid }),
        await scene.issuer.token({ sub, sid, iat: undefined }),
      ]) {
        expect((await me(before)).status).toBe(401);
        expect(await refusal(join(before))).toBe('unauthenticated');
      }
      expect(bystander.socket.connected).toBe(true);
      expect((await http(scene.server.url, method, route, { token })).status).toBe(401);
    },
  );

  it('is begun anew by a later token, again and again, and by no earlier one', async () => {
    const sub = uniqueName();
    const ids = new Set<string>();
    let iat = seconds();
    for (let round = 0; round < 4; round++) {
      const before = await scene.issuer.token({ sub, iat: iat - 5 });
      const token = await scene.issuer.token({ sub, iat });
      const device = await join(token);
      ids.add(device.sessionId);
      if (round > 0) expect((await me(before)).status).toBe(401);
      expect(await sessionsOf(token)).toMatchObject([{ session_id: device.sessionId, current: true }]);
      expect((await http(scene.server.url, 'POST', '/auth/logout', { token })).status).toBe(204);
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
    await http(scene.server.url, 'POST', '/auth/logout', { token });
    const later = await issuedAfter({ sub });
    const devices = await Promise.all(Array.from({ length: 10 }, () => join(later)));
    expect(new Set(devices.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(await sessionsOf(later)).toHaveLength(1);
  });

  it('costs a request two reads of the store, and many at once hardly more', async () => {
    const { server: counted, proxy, stop } = await startCountedServer(scene.issuer.env);
    onTestFinished(stop);
    const token = await scene.issuer.token({ sub: uniqueName() });
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

describe('a user whose sessions were all ended', () => {
  it('begins none by tokens from before once active again, not even one that was never seen', async () => {
    const database = await startDatabase();
    onTestFinished(() => database.stop());
    const { url } = await startServerForTest({ env: { ...scene.issuer.env, MONGODB_URL: database.url } });
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
