import { beforeAll, describe, expect, it } from 'vitest';
import { type Device, http, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { forget, makeContacts, makeTwo, NOBODY, statesOf } from './scene.ts';

let server: TestServer;

beforeAll(async () => {
  server = await sharedServer();
});

describe('contact:request', () => {
  it('makes a pending document on both sides and tells both, except the acting socket', async () => {
    const scene = await makeTwo(server);
    const { ann, annsLaptop, bob, bobsLaptop } = scene;
    const { contact } = await ann.ok('contact:request', { user_id: bob.id });
    expect(contact).toMatchObject({ user_id: ann.id, contact_id: bob.id, status: 'pending', direction: 'out' });
    expect(contact.user).toMatchObject({ _id: bob.id, username: bob.account.username });
    expect(contact.user).not.toHaveProperty('last_seen');
    expect(contact).not.toHaveProperty('pair');
    expect((await annsLaptop.next('contact:updated')).contact).toEqual(contact);
    for (const device of [bob, bobsLaptop]) {
      expect((await device.next('contact:updated')).contact).toMatchObject({
        user_id: bob.id,
        contact_id: ann.id,
        status: 'pending',
        direction: 'in',
        user: { _id: ann.id },
      });
    }
    await settle(ann);
    expect(ann.seen('contact:updated')).toEqual([]);
    expect(await statesOf(scene)).toEqual(['pending out', 'pending in']);
  });

  it('finds a username in any case', async () => {
    const { ann, bob } = await makeTwo(server);
    const { contact } = await ann.ok('contact:request', { username: bob.account.username.toUpperCase() });
    expect(contact.contact_id).toBe(bob.id);
  });

  it('changes nothing if it is pending or accepted already', async () => {
    const scene = await makeTwo(server);
    const { ann, bob, all } = scene;
    const first = await ann.ok('contact:request', { user_id: bob.id });
    await settle(...all);
    forget(all);
    expect(await ann.ok('contact:request', { user_id: bob.id })).toEqual(first);
    await settle(...all);
    expect(all.flatMap((device) => device.seen('contact:updated'))).toEqual([]);
    await bob.ok('contact:accept', { user_id: ann.id });
    expect((await ann.ok('contact:request', { user_id: bob.id })).contact.status).toBe('accepted');
    expect((await bob.ok('contact:request', { user_id: ann.id })).contact.status).toBe('accepted');
  });

  it('refuses oneself, and unknown and deactivated users', async () => {
    const { ann, bob, accounts } = await makeTwo(server);
    const request = async (payload: object) => (await ann.refused('contact:request', payload)).code;
    expect(await request({ user_id: ann.id })).toBe('validation_failed');
    expect(await request({ username: ann.account.username })).toBe('validation_failed');
    expect(await request({ user_id: NOBODY })).toBe('not_found');
    expect(await request({ username: 'nobody-of-this-name' })).toBe('not_found');
    expect(await request({})).toBe('validation_failed');
    expect(await request({ user_id: bob.id, username: bob.account.username })).toBe('validation_failed');
    const { access_token: token, password } = accounts[1]!;
    await http(server.url, 'DELETE', '/users/me', { token, body: { password } });
    expect(await request({ user_id: bob.id })).toBe('not_found');
  });

  it('makes two users contacts who request each other, one after the other or at the same time', async () => {
    const scene = await makeTwo(server);
    await scene.ann.ok('contact:request', { user_id: scene.bob.id });
    expect((await scene.bob.ok('contact:request', { user_id: scene.ann.id })).contact.status).toBe('accepted');
    expect(await statesOf(scene)).toEqual(['accepted', 'accepted']);
    for (let round = 0; round < 8; round++) {
      const { ann, annsLaptop, bob, bobsLaptop } = scene;
      await ann.ok('contact:remove', { user_id: bob.id });
      const answers = await Promise.all([
        ann.raw('contact:request', { user_id: bob.id }),
        bob.raw('contact:request', { user_id: ann.id }),
        annsLaptop.raw('contact:request', { user_id: bob.id }),
        bobsLaptop.raw('contact:request', { user_id: ann.id }),
      ]);
      expect(answers.map((answer) => answer.ok)).toEqual([true, true, true, true]);
      expect(await statesOf(scene)).toEqual(['accepted', 'accepted']);
    }
  });
});

describe('contact:accept', () => {
  it("makes both sides accepted, tells both, and shows each the other's presence", async () => {
    const scene = await makeTwo(server);
    const { ann, annsLaptop, bob, bobsLaptop, all } = scene;
    await ann.ok('contact:request', { user_id: bob.id });
    await settle(...all);
    forget(all);
    const { contact } = await bob.ok('contact:accept', { user_id: ann.id });
    expect(contact).toMatchObject({ user_id: bob.id, contact_id: ann.id, status: 'accepted' });
    expect(contact).not.toHaveProperty('direction');
    expect(contact.user).toHaveProperty('last_seen');
    expect((await bobsLaptop.next('contact:updated')).contact).toEqual(contact);
    for (const device of [ann, annsLaptop]) {
      const news = await device.next('contact:updated');
      expect(news.contact).toMatchObject({ user_id: ann.id, status: 'accepted', user: { _id: bob.id } });
      await device.next('presence:changed', ({ presence }) => presence.user_id === bob.id);
    }
    await bobsLaptop.next('presence:changed', ({ presence }) => presence.user_id === ann.id);
    expect(bob.seen('contact:updated')).toEqual([]);
  });

  it('finds only requests to oneself', async () => {
    const scene = await makeTwo(server);
    const { ann, bob } = scene;
    const accept = async (device: Device, user_id: string) =>
      (await device.refused('contact:accept', { user_id })).code;
    expect(await accept(bob, ann.id)).toBe('not_found');
    expect(await accept(bob, NOBODY)).toBe('not_found');
    expect(await accept(bob, bob.id)).toBe('not_found');
    await ann.ok('contact:request', { user_id: bob.id });
    expect(await accept(ann, bob.id)).toBe('not_found');
    await bob.ok('contact:accept', { user_id: ann.id });
    expect(await accept(bob, ann.id)).toBe('not_found');
  });

  it('and a withdrawal at the same time leave the same on both sides', async () => {
    const scene = await makeTwo(server);
    const { ann, bob } = scene;
    for (let round = 0; round < 10; round++) {
      await ann.ok('contact:request', { user_id: bob.id });
      await Promise.all([
        bob.raw('contact:accept', { user_id: ann.id }),
        ann.raw('contact:remove', { user_id: bob.id }),
      ]);
      const states = await statesOf(scene);
      expect([
        [undefined, undefined],
        ['accepted', 'accepted'],
      ]).toContainEqual(states);
      await ann.raw('contact:remove', { user_id: bob.id });
    }
  });
});

describe('contact:reject and contact:remove', () => {
  it('remove the documents of both sides and tell both', async () => {
    const scene = await makeTwo(server);
    const { ann, annsLaptop, bob, bobsLaptop, all } = scene;
    const request = () => ann.ok('contact:request', { user_id: bob.id });
    const cases: (() => Promise<[Device, Device]>)[] = [
      async () => {
        await request();
        await bob.ok('contact:reject', { user_id: ann.id });
        return [bob, bobsLaptop];
      },
      async () => {
        await request();
        await ann.ok('contact:remove', { user_id: bob.id });
        return [ann, annsLaptop];
      },
      async () => {
        await request();
        await bob.ok('contact:remove', { user_id: ann.id });
        return [bob, bobsLaptop];
      },
      async () => {
        await makeContacts(scene);
        await bob.ok('contact:remove', { user_id: ann.id });
        return [bob, bobsLaptop];
      },
    ];
    for (const run of cases) {
      forget(all);
      const [actor, actorsLaptop] = await run();
      const [peer, others] = actor === ann ? [bob, [bob, bobsLaptop]] : [ann, [ann, annsLaptop]];
      await settle(...all);
      expect(actor.seen('contact:removed')).toEqual([]);
      expect(actorsLaptop.seen('contact:removed')).toEqual([{ user_id: peer.id }]);
      for (const device of others) expect(device.seen('contact:removed')).toEqual([{ user_id: actor.id }]);
      expect(await statesOf(scene)).toEqual([undefined, undefined]);
    }
  });

  it('find nothing without a request or contact', async () => {
    const scene = await makeTwo(server);
    const { ann, bob } = scene;
    expect((await ann.refused('contact:remove', { user_id: bob.id })).code).toBe('not_found');
    expect((await ann.refused('contact:reject', { user_id: bob.id })).code).toBe('not_found');
    await ann.ok('contact:request', { user_id: bob.id });
    expect((await ann.refused('contact:reject', { user_id: bob.id })).code).toBe('not_found');
    await bob.ok('contact:accept', { user_id: ann.id });
    expect((await bob.refused('contact:reject', { user_id: ann.id })).code).toBe('not_found');
    await bob.ok('contact:block', { user_id: ann.id });
    expect((await bob.refused('contact:remove', { user_id: ann.id })).code).toBe('not_found');
    expect((await ann.refused('contact:remove', { user_id: bob.id })).code).toBe('not_found');
  });
});

describe('contact:update', () => {
  it("shows notes and favourites to the owner's devices and nobody else", async () => {
    const scene = await makeTwo(server);
    const { ann, annsLaptop, bob, all } = scene;
    await makeContacts(scene);
    const wanted = { notes: 'met in Brno', is_favorite: true };
    const { contact } = await ann.ok('contact:update', { user_id: bob.id, ...wanted });
    expect(contact).toMatchObject({ ...wanted, status: 'accepted' });
    expect((await annsLaptop.next('contact:updated')).contact).toEqual(contact);
    expect((await ann.ok('contact:update', { user_id: bob.id })).contact).toEqual(contact);
    await settle(...all);
    expect(bob.seen('contact:updated')).toEqual([]);
    expect(annsLaptop.seen('contact:updated')).toHaveLength(1);
    expect((await bob.ok('contact:list', {})).contacts[0]).not.toHaveProperty('notes');
    const { contact: after } = await ann.ok('contact:update', { user_id: bob.id, is_favorite: false });
    expect(after).toMatchObject({ notes: 'met in Brno', is_favorite: false });
  });

  it('refuses notes that are too long, and finds only own documents', async () => {
    const { ann, bob } = await makeTwo(server);
    expect((await ann.refused('contact:update', { user_id: bob.id, notes: '' })).code).toBe('not_found');
    await ann.ok('contact:request', { user_id: bob.id });
    const tooLong = { user_id: bob.id, notes: 'x'.repeat(1001) };
    expect((await ann.refused('contact:update', tooLong)).code).toBe('validation_failed');
    await ann.ok('contact:update', { user_id: bob.id, notes: 'x'.repeat(1000) });
  });
});
