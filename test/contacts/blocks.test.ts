import { beforeAll, describe, expect, it } from 'vitest';
import { type Device, http, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { forget, makeContacts, makeTwo, NOBODY, stateOf, statesOf } from './scene.ts';

let server: TestServer;

beforeAll(async () => {
  server = await sharedServer();
});

describe('contact:block', () => {
  it('tells the blocked user exactly what a removal tells', async () => {
    const heard: object[] = [];
    for (const command of ['contact:block', 'contact:remove'] as const) {
      const scene = await makeTwo(server);
      const { ann, bob, bobsLaptop, all } = scene;
      await makeContacts(scene);
      await ann.ok(command, { user_id: bob.id });
      await settle(...all);
      const anonymous = (device: Device) =>
        JSON.parse(JSON.stringify(device.events).replaceAll(ann.id, 'ann')).map(
          ({ name, payload }: { name: string; payload: object }) => ({ name, payload }),
        );
      heard.push({
        events: [anonymous(bob), anonymous(bobsLaptop)],
        contacts: (await bob.ok('contact:list', {})).contacts,
        removing: await bob.refused('contact:remove', { user_id: ann.id }),
        accepting: await bob.refused('contact:accept', { user_id: ann.id }),
        unblocking: await bob.refused('contact:unblock', { user_id: ann.id }),
        user: Object.keys((await bob.ok('user:get', { user_id: ann.id })).user),
      });
    }
    expect(heard[0]).toEqual(heard[1]);
    expect(heard[0]).toMatchObject({ events: [[{ name: 'contact:removed' }], [{ name: 'contact:removed' }]] });
  });

  it("tells the blocker's other devices, and not a user who has no document", async () => {
    const scene = await makeTwo(server);
    const { ann, annsLaptop, bob, all } = scene;
    const { contact } = await ann.ok('contact:block', { user_id: bob.id });
    expect(contact).toMatchObject({ user_id: ann.id, contact_id: bob.id, status: 'blocked' });
    expect((await annsLaptop.next('contact:updated')).contact).toEqual(contact);
    expect((await ann.ok('contact:block', { user_id: bob.id })).contact).toEqual(contact);
    await settle(...all);
    expect(bob.seen('contact:removed')).toEqual([]);
    expect(bob.seen('contact:updated')).toEqual([]);
    expect(annsLaptop.seen('contact:updated')).toHaveLength(1);
    expect((await ann.ok('contact:list', { status: 'blocked' })).contacts).toEqual([contact]);
    expect((await ann.ok('contact:list', { status: 'accepted' })).contacts).toEqual([]);
  });

  it('forbids requests and messages in both directions until the user is unblocked', async () => {
    const scene = await makeTwo(server);
    const { ann, annsLaptop, bob } = scene;
    await makeContacts(scene);
    await ann.ok('contact:block', { user_id: bob.id });
    for (const [device, user_id] of [
      [ann, bob.id],
      [bob, ann.id],
    ] as const) {
      expect((await device.refused('contact:request', { user_id })).code).toBe('forbidden');
      expect((await device.refused('message:send', { recipient_id: user_id, content: 'x' })).code).toBe('forbidden');
    }
    expect(await ann.ok('contact:unblock', { user_id: bob.id })).toEqual({});
    expect(await annsLaptop.next('contact:removed')).toEqual({ user_id: bob.id });
    expect(await statesOf(scene)).toEqual([undefined, undefined]);
    expect((await ann.refused('contact:unblock', { user_id: bob.id })).code).toBe('not_found');
    await bob.ok('contact:request', { user_id: ann.id });
    await bob.ok('message:send', { recipient_id: ann.id, content: 'x' });
  });

  it('belongs to one side: if both block and one unblocks, the other block remains', async () => {
    const scene = await makeTwo(server);
    const { ann, bob, all } = scene;
    await Promise.all([ann.ok('contact:block', { user_id: bob.id }), bob.ok('contact:block', { user_id: ann.id })]);
    expect(await statesOf(scene)).toEqual(['blocked', 'blocked']);
    forget(all);
    await ann.ok('contact:unblock', { user_id: bob.id });
    await settle(bob);
    expect(bob.seen('contact:removed')).toEqual([]);
    expect((await ann.refused('contact:request', { user_id: bob.id })).code).toBe('forbidden');
    expect(await stateOf(bob, ann)).toBe('blocked');
  });

  it('refuses oneself and unknown users, but not deactivated ones', async () => {
    const { ann, bob, accounts } = await makeTwo(server);
    const { access_token: token, password } = accounts[1]!;
    await http(server.url, 'DELETE', '/users/me', { token, body: { password } });
    expect((await ann.refused('contact:block', { user_id: ann.id })).code).toBe('validation_failed');
    expect((await ann.refused('contact:block', { user_id: NOBODY })).code).toBe('not_found');
    expect((await ann.ok('contact:block', { user_id: bob.id })).contact.user.is_active).toBe(false);
  });

  it('prevails over whatever else happens at the same time', async () => {
    const scene = await makeTwo(server);
    const { ann, annsLaptop, bob, bobsLaptop } = scene;
    for (let round = 0; round < 10; round++) {
      if (round % 2) await ann.raw('contact:request', { user_id: bob.id });
      await Promise.all([
        bob.raw('contact:request', { user_id: ann.id }),
        ann.ok('contact:block', { user_id: bob.id }),
        bobsLaptop.raw('contact:accept', { user_id: ann.id }),
        annsLaptop.raw('contact:request', { user_id: bob.id }),
      ]);
      expect(await statesOf(scene)).toEqual(['blocked', undefined]);
      await ann.ok('contact:unblock', { user_id: bob.id });
    }
  });
});
