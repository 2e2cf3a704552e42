import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, registerMany, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

const NOBODY = '0'.repeat(24);

let server: TestServer;

beforeAll(async () => {
  server = await startServer();
});
afterAll(() => server.stop());

interface Two {
  ann: Device;
  annsLaptop: Device;
  bob: Device;
  bobsLaptop: Device;
  all: Device[];
  accounts: Account[];
}

/** Two people with two devices each. */
async function two(): Promise<Two> {
  const accounts = await registerMany(server.url, 2);
  const all = await Promise.all([0, 0, 1, 1].map((who) => connect(server.url, accounts[who]!)));
  const [ann, annsLaptop, bob, bobsLaptop] = all as [Device, Device, Device, Device];
  return { ann, annsLaptop, bob, bobsLaptop, all, accounts };
}

const forget = (devices: Device[]) => {
  for (const device of devices) device.clear();
};

async function makeContacts({ ann, bob, all }: Two): Promise<void> {
  await ann.ok('contact:request', { user_id: bob.id });
  await bob.ok('contact:accept', { user_id: ann.id });
  await settle(...all);
  forget(all);
}

/** What a user's documents of another say, e.g. `pending out`; nothing where there is none. */
async function stateOf(device: Device, other: Device): Promise<string | undefined> {
  const { contacts } = await device.ok('contact:list', {});
  const found = contacts.filter((contact) => contact.contact_id === other.id);
  expect(found.length).toBeLessThanOrEqual(1);
  return found[0] && [found[0].status, found[0].direction].filter(Boolean).join(' ');
}

const statesOf = ({ ann, bob }: Two) => Promise.all([stateOf(ann, bob), stateOf(bob, ann)]);

describe('contact:request', () => {
  it('makes a pending document on both sides and tells both, without the socket that acted', async () => {
    const scene = await two();
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

  it('finds a username without regard to case', async () => {
    const { ann, bob } = await two();
    const { contact } = await ann.ok('contact:request', { username: bob.account.username.toUpperCase() });
    expect(contact.contact_id).toBe(bob.id);
  });

  it('changes nothing when it is pending or accepted', async () => {
    const scene = await two();
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

  it('refuses oneself, unknown and deactivated users', async () => {
    const { ann, bob, accounts } = await two();
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

  it('makes two who request each other contacts, one after the other or at once', async () => {
    const scene = await two();
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
  it('makes both sides accepted, tells both, and shows each the other', async () => {
    const scene = await two();
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

  it('finds only a request to oneself', async () => {
    const scene = await two();
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

  it('and a withdrawal at once leave the same on both sides', async () => {
    const scene = await two();
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
  it('take the documents from both sides and tell both', async () => {
    const scene = await two();
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

  it('find nothing where there is no request or contact', async () => {
    const scene = await two();
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

describe('contact:block', () => {
  it('tells the blocked one exactly what a removal tells', async () => {
    const heard: object[] = [];
    for (const command of ['contact:block', 'contact:remove'] as const) {
      const scene = await two();
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

  it('says nothing to someone who has no document, and tells the own other devices', async () => {
    const scene = await two();
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

  it('forbids requests and messages in both directions until it is taken back', async () => {
    const scene = await two();
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

  it('is each one’s own: when both block, one taking it back leaves the other', async () => {
    const scene = await two();
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

  it('refuses oneself and unknown users, not deactivated ones', async () => {
    const { ann, bob, accounts } = await two();
    const { access_token: token, password } = accounts[1]!;
    await http(server.url, 'DELETE', '/users/me', { token, body: { password } });
    expect((await ann.refused('contact:block', { user_id: ann.id })).code).toBe('validation_failed');
    expect((await ann.refused('contact:block', { user_id: NOBODY })).code).toBe('not_found');
    expect((await ann.ok('contact:block', { user_id: bob.id })).contact.user.is_active).toBe(false);
  });

  it('prevails over whatever else happens at the same time', async () => {
    const scene = await two();
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

describe('contact:update', () => {
  it('keeps notes and favourites for the owner, on all their devices and nowhere else', async () => {
    const scene = await two();
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

  it('refuses what is too long, and finds own documents only', async () => {
    const { ann, bob } = await two();
    expect((await ann.refused('contact:update', { user_id: bob.id, notes: '' })).code).toBe('not_found');
    await ann.ok('contact:request', { user_id: bob.id });
    const tooLong = { user_id: bob.id, notes: 'x'.repeat(1001) };
    expect((await ann.refused('contact:update', tooLong)).code).toBe('validation_failed');
    await ann.ok('contact:update', { user_id: bob.id, notes: 'x'.repeat(1000) });
  });
});
