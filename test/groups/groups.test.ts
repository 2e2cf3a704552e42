import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Account, connect, type Device, http, register, registerMany, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';

const NOBODY = '0'.repeat(24);

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { GROUP_MAX_MEMBERS: '6' } });
});
afterAll(() => server.stop());

/** A group of a creator and others, each with a device that has forgotten the creation. */
async function makeGroup(others: number): Promise<{ id: string; devices: Device[]; accounts: Account[] }> {
  const accounts = await registerMany(server.url, others + 1);
  const devices = await Promise.all(accounts.map((account) => connect(server.url, account)));
  const [creator, ...rest] = devices;
  const { group } = await creator!.ok('group:create', { name: 'Choir', member_ids: rest.map((one) => one.id) });
  await Promise.all(rest.map((one) => one.next('group:updated')));
  for (const one of devices) one.clear();
  return { id: group._id, devices, accounts };
}

const history = async (device: Device, group_id: string) =>
  (await device.ok('message:history', { group_id })).messages.map((message) => message.content);

describe('group:create', () => {
  it('makes the creator the first member and only admin, counts everybody once, and tells the others', async () => {
    const [ann, bob] = await registerMany(server.url, 2);
    const phone = await connect(server.url, ann!);
    const laptop = await connect(server.url, ann!);
    const other = await connect(server.url, bob!);
    const { group } = await phone.ok('group:create', { name: 'Two', member_ids: [bob!.id, ann!.id, bob!.id] });
    expect(group).toMatchObject({
      name: 'Two',
      description: null,
      icon: null,
      creator_id: ann!.id,
      members: [ann!.id, bob!.id],
      admins: [ann!.id],
      is_active: true,
    });
    const told = { group, reason: 'created', actor_id: ann!.id };
    expect(await other.next('group:updated')).toEqual(told);
    expect(await laptop.next('group:updated')).toEqual(told);
    await settle(phone);
    expect(phone.seen('group:updated')).toEqual([]);
  });

  it('refuses more members than allowed, unknown and deactivated ones, and names of no or too many characters', async () => {
    const accounts = await registerMany(server.url, 7);
    const device = await connect(server.url, accounts[0]!);
    const gone = accounts[6]!;
    await http(server.url, 'DELETE', '/users/me', { token: gone.access_token, body: { password: gone.password } });
    const create = (payload: object) => device.refused('group:create', { name: 'G', member_ids: [], ...payload });
    expect((await create({ member_ids: accounts.slice(1).map((one) => one.id) })).code).toBe('validation_failed');
    expect((await create({ member_ids: [NOBODY] })).code).toBe('not_found');
    expect((await create({ member_ids: [gone.id] })).code).toBe('not_found');
    expect((await create({ member_ids: ['x'] })).code).toBe('validation_failed');
    expect((await create({ name: '' })).code).toBe('validation_failed');
    expect((await create({ name: 'x'.repeat(101) })).code).toBe('validation_failed');
    expect((await create({ description: 'x'.repeat(1001) })).code).toBe('validation_failed');
    expect((await create({ icon: NOBODY })).code).toBe('not_found');
    expect((await device.ok('group:list', {})).groups).toEqual([]);
    await device.ok('group:create', { name: '🎶'.repeat(100), member_ids: accounts.slice(1, 6).map((one) => one.id) });
  });
});

describe('group:get and group:list', () => {
  it('show a group to its members only', async () => {
    const { id, devices } = await makeGroup(1);
    const stranger = await connect(server.url, await register(server.url));
    for (const device of devices) {
      const { group } = await device.ok('group:get', { group_id: id });
      expect((await device.ok('group:list', {})).groups).toEqual([group]);
    }
    expect((await stranger.refused('group:get', { group_id: id })).code).toBe('not_found');
    expect((await stranger.refused('group:get', { group_id: NOBODY })).code).toBe('not_found');
    expect((await stranger.ok('group:list', {})).groups).toEqual([]);
  });
});

describe('group:update', () => {
  it('changes what is given, tells the others, and keeps quiet when nothing changes', async () => {
    const { id, devices } = await makeGroup(1);
    const [admin, member] = devices as [Device, Device];
    const { group } = await admin.ok('group:update', { group_id: id, name: '$name', description: 'd' });
    expect(group).toMatchObject({ name: '$name', description: 'd' });
    expect(await member.next('group:updated')).toEqual({ group, reason: 'updated', actor_id: admin.id });
    member.clear();
    expect((await admin.ok('group:update', { group_id: id, name: '$name' })).group).toEqual(group);
    expect((await admin.ok('group:update', { group_id: id })).group).toEqual(group);
    await settle(member);
    expect(member.seen('group:updated')).toEqual([]);
    expect((await admin.ok('group:update', { group_id: id, description: null })).group.description).toBeNull();
  });

  it('is for admins, and takes no icon that is not their own upload', async () => {
    const { id, devices } = await makeGroup(1);
    const stranger = await connect(server.url, await register(server.url));
    expect((await devices[1]!.refused('group:update', { group_id: id, name: 'x' })).code).toBe('forbidden');
    expect((await stranger.refused('group:update', { group_id: id, name: 'x' })).code).toBe('not_found');
    expect((await devices[0]!.refused('group:update', { group_id: id, icon: NOBODY })).code).toBe('not_found');
  });
});

describe('the icon of a group', () => {
  it('is an own image, which another admin may send along again but not choose', async () => {
    const { id, devices, accounts } = await makeGroup(1);
    const [admin, second] = devices as [Device, Device];
    const upload = async (account: Account): Promise<string> => {
      const form = new FormData();
      const image = sharp({ create: { width: 8, height: 8, channels: 3, background: 'teal' } }).png();
      form.set('file', new Blob([new Uint8Array(await image.toBuffer())]), 'icon.png');
      const headers = { authorization: `Bearer ${account.access_token}` };
      const response = await fetch(`${server.url}/media`, { method: 'POST', headers, body: form });
      return ((await response.json()) as { media: { _id: string } }).media._id;
    };
    const icon = await upload(accounts[0]!);
    const { group } = await admin.ok('group:update', { group_id: id, icon });
    expect(group.icon).toBe(icon);
    expect((await second.next('group:updated')).group.icon).toBe(icon);
    await admin.ok('group:set_admin', { group_id: id, user_id: second.id, is_admin: true });
    await second.ok('group:update', { group_id: id, name: 'Renamed', icon });
    expect((await second.ok('group:update', { group_id: id, icon: null })).group.icon).toBeNull();
    expect((await second.refused('group:update', { group_id: id, icon })).code).toBe('not_found');
  });
});

describe('group:add_members', () => {
  it('adds who is not in yet and tells everybody, the new ones too', async () => {
    const { id, devices } = await makeGroup(1);
    const [admin, member] = devices as [Device, Device];
    const late = await connect(server.url, await register(server.url));
    const { group } = await admin.ok('group:add_members', { group_id: id, user_ids: [member.id, late.id, late.id] });
    expect(group.members).toEqual([admin.id, member.id, late.id]);
    const told = { group, reason: 'members_added', actor_id: admin.id, user_ids: [late.id] };
    expect(await member.next('group:updated')).toEqual(told);
    expect(await late.next('group:updated')).toEqual(told);
    for (const device of devices) device.clear();
    expect((await admin.ok('group:add_members', { group_id: id, user_ids: [late.id] })).group).toEqual(group);
    await settle(member);
    expect(member.seen('group:updated')).toEqual([]);
    expect(late.seen('group:updated')).toHaveLength(1);
  });

  it('is for admins, and refuses strangers to the server and people behind a block', async () => {
    const { id, devices } = await makeGroup(2);
    const [admin, member, blocker] = devices as [Device, Device, Device];
    const late = await connect(server.url, await register(server.url));
    const add = (device: Device, ...user_ids: string[]) =>
      device.refused('group:add_members', { group_id: id, user_ids });
    expect((await add(member, late.id)).code).toBe('forbidden');
    expect((await add(late, late.id)).code).toBe('not_found');
    expect((await add(admin, NOBODY)).code).toBe('not_found');
    await late.ok('contact:block', { user_id: admin.id });
    expect((await add(admin, late.id)).code).toBe('forbidden');
    expect((await admin.refused('group:create', { name: 'x', member_ids: [late.id] })).code).toBe('forbidden');
    expect((await late.refused('group:create', { name: 'x', member_ids: [admin.id] })).code).toBe('forbidden');
    expect((await admin.ok('group:get', { group_id: id })).group.members).not.toContain(late.id);
    // Who is in already is not touched by a block.
    await blocker.ok('contact:block', { user_id: admin.id });
    await admin.ok('group:add_members', { group_id: id, user_ids: [blocker.id] });
    await admin.ok('message:send', { group_id: id, content: 'both go on' });
    await blocker.next('message:new');
  });

  it('never exceeds the limit, however many are added at once', async () => {
    const { id, devices } = await makeGroup(2);
    const [admin, second] = devices as [Device, Device];
    await admin.ok('group:set_admin', { group_id: id, user_id: second.id, is_admin: true });
    const late = await registerMany(server.url, 8);
    const answers = await Promise.all(
      late.map(({ id: user }, i) =>
        (i % 2 ? admin : second).raw('group:add_members', { group_id: id, user_ids: [user] }),
      ),
    );
    expect(answers.filter((answer) => answer.ok)).toHaveLength(3);
    expect(new Set(answers.flatMap((answer) => answer.error?.code ?? []))).toEqual(new Set(['validation_failed']));
    expect((await admin.ok('group:get', { group_id: id })).group.members).toHaveLength(6);
  });
});

describe('history of a group', () => {
  it('begins with the joining, and with the latest one for who comes back', async () => {
    const { id, devices } = await makeGroup(1);
    const [admin, member] = devices as [Device, Device];
    const late = await connect(server.url, await register(server.url));
    const say = (content: string) => admin.ok('message:send', { group_id: id, content });
    await say('1');
    await admin.ok('group:add_members', { group_id: id, user_ids: [late.id] });
    await say('2');
    expect((await late.next('message:new')).message.content).toBe('2');
    expect(await history(late, id)).toEqual(['2']);
    expect(await history(member, id)).toEqual(['1', '2']);

    await admin.ok('group:remove_member', { group_id: id, user_id: late.id });
    await say('3');
    await settle(late);
    expect(late.seen('message:new')).toHaveLength(1);
    expect((await late.refused('message:history', { group_id: id })).code).toBe('not_found');

    await admin.ok('group:add_members', { group_id: id, user_ids: [late.id] });
    expect(await history(late, id)).toEqual([]);
    await say('4');
    expect(await history(late, id)).toEqual(['4']);
    await late.next('message:new', ({ message }) => message.content === '4');
    expect(late.seen('message:new').map(({ message }) => message.content)).toEqual(['2', '4']);
  });

  it('has no gap for those who join while others write', async () => {
    const { id, devices } = await makeGroup(1);
    const [admin, writer] = devices as [Device, Device];
    const late = await Promise.all((await registerMany(server.url, 4)).map((account) => connect(server.url, account)));
    const sending = (async () => {
      for (let i = 0; i < 120; i++) await writer.ok('message:send', { group_id: id, content: `${i}` });
    })();
    for (const one of late) {
      await admin.ok('group:add_members', { group_id: id, user_ids: [one.id] });
    }
    await sending;
    for (const one of late) {
      await one.next('message:new', ({ message }) => message.seq === 120);
      const visible = (await one.ok('message:history', { group_id: id, limit: 200 })).messages.map(({ seq }) => seq);
      expect(visible).toEqual(Array.from({ length: visible.length }, (_, i) => 121 - visible.length + i));
      expect(one.seen('message:new').map(({ message }) => message.seq)).toEqual(visible);
    }
  });
});

describe('group:remove_member', () => {
  it('tells the others and the one removed, who receives nothing from then on', async () => {
    const { id, devices } = await makeGroup(2);
    const [admin, member, gone] = devices as [Device, Device, Device];
    const { group } = await admin.ok('group:remove_member', { group_id: id, user_id: gone.id });
    expect(group.members).toEqual([admin.id, member.id]);
    const told = { group, reason: 'member_removed', actor_id: admin.id, user_ids: [gone.id] };
    expect(await gone.next('group:updated')).toEqual(told);
    expect(await member.next('group:updated')).toEqual(told);
    await admin.ok('group:update', { group_id: id, name: 'Without' });
    await admin.ok('message:send', { group_id: id, content: 'secret' });
    await settle(gone);
    expect(gone.seen('group:updated')).toHaveLength(1);
    expect(gone.seen('message:new')).toEqual([]);
    for (const [name, payload] of [
      ['group:get', { group_id: id }],
      ['group:leave', { group_id: id }],
      ['message:send', { group_id: id, content: 'x' }],
    ] as const) {
      expect((await gone.refused(name, payload)).code).toBe('not_found');
    }
    expect((await gone.ok('group:list', {})).groups).toEqual([]);
    // Nor does a device that connects afterwards.
    const again = await connect(server.url, gone.account);
    await admin.ok('message:send', { group_id: id, content: 'secret too' });
    await settle(again);
    expect(again.seen('message:new')).toEqual([]);
  });

  it('is for admins, and finds members only', async () => {
    const { id, devices } = await makeGroup(2);
    const [admin, one, two] = devices as [Device, Device, Device];
    expect((await one.refused('group:remove_member', { group_id: id, user_id: two.id })).code).toBe('forbidden');
    expect((await one.refused('group:remove_member', { group_id: id, user_id: one.id })).code).toBe('forbidden');
    expect((await admin.refused('group:remove_member', { group_id: id, user_id: NOBODY })).code).toBe('not_found');
    await admin.ok('group:remove_member', { group_id: id, user_id: one.id });
    expect((await admin.refused('group:remove_member', { group_id: id, user_id: one.id })).code).toBe('not_found');
  });

  it('lets exactly one win when two admins remove each other', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, devices } = await makeGroup(2);
      const [one, two, witness] = devices as [Device, Device, Device];
      await one.ok('group:set_admin', { group_id: id, user_id: two.id, is_admin: true });
      const [first, second] = await Promise.all([
        one.raw('group:remove_member', { group_id: id, user_id: two.id }),
        two.raw('group:remove_member', { group_id: id, user_id: one.id }),
      ]);
      const winner = first.ok ? one : two;
      expect([first.ok, second.ok].filter(Boolean)).toHaveLength(1);
      expect((first.ok ? second : first).error!.code).toMatch(/^(forbidden|not_found)$/);
      expect((await witness.ok('group:get', { group_id: id })).group).toMatchObject({
        members: [winner.id, witness.id],
        admins: [winner.id],
      });
    }
  });

  it('agrees with an adding at the same time on who receives the messages', async () => {
    const { id, devices } = await makeGroup(2);
    const [admin, second, moved] = devices as [Device, Device, Device];
    await admin.ok('group:set_admin', { group_id: id, user_id: second.id, is_admin: true });
    for (let round = 0; round < 15; round++) {
      await Promise.all([
        admin.raw('group:remove_member', { group_id: id, user_id: moved.id }),
        second.raw('group:add_members', { group_id: id, user_ids: [moved.id] }),
      ]);
      const isIn = (await admin.ok('group:get', { group_id: id })).group.members.includes(moved.id);
      moved.clear();
      const { message } = await admin.ok('message:send', { group_id: id, content: `${round}` });
      await settle(moved);
      expect(moved.seen('message:new').map((news) => news.message._id)).toEqual(isIn ? [message._id] : []);
      expect((await moved.raw('message:history', { group_id: id })).ok).toBe(isIn);
    }
  });
});

describe('group:leave', () => {
  it('tells the others and the own other devices', async () => {
    const { id, devices } = await makeGroup(1);
    const [admin, member] = devices as [Device, Device];
    const laptop = await connect(server.url, member.account);
    const { group } = await member.ok('group:leave', { group_id: id });
    const told = { group, reason: 'member_left', actor_id: member.id, user_ids: [member.id] };
    expect(await admin.next('group:updated')).toEqual(told);
    expect(await laptop.next('group:updated')).toEqual(told);
    await admin.ok('message:send', { group_id: id, content: 'x' });
    await settle(member, laptop);
    expect([...member.seen('message:new'), ...laptop.seen('message:new'), ...member.seen('group:updated')]).toEqual([]);
    expect((await member.refused('group:leave', { group_id: id })).code).toBe('not_found');
  });

  it('hands over from the last admin to the longest-standing member, and ends an empty group', async () => {
    const { id, devices } = await makeGroup(2);
    const [first, second, third] = devices as [Device, Device, Device];
    expect((await first.ok('group:leave', { group_id: id })).group.admins).toEqual([second.id]);
    await second.ok('group:add_members', { group_id: id, user_ids: [first.id] });
    expect((await second.ok('group:leave', { group_id: id })).group.admins).toEqual([third.id]);
    await third.ok('group:leave', { group_id: id });
    const { group } = await first.ok('group:leave', { group_id: id });
    expect(group).toMatchObject({ members: [], admins: [], is_active: false });
    expect((await first.refused('group:get', { group_id: id })).code).toBe('not_found');
  });

  it('leaves an admin whoever leaves at once', async () => {
    for (let round = 0; round < 5; round++) {
      const { id, devices } = await makeGroup(3);
      const [one, two, ...rest] = devices as [Device, Device, Device, Device];
      await one.ok('group:set_admin', { group_id: id, user_id: two.id, is_admin: true });
      await Promise.all([one, two, rest[0]!].map((device) => device.ok('group:leave', { group_id: id })));
      const last = rest[1]!;
      expect((await last.ok('group:get', { group_id: id })).group).toMatchObject({
        members: [last.id],
        admins: [last.id],
      });
    }
  });
});

describe('group:set_admin', () => {
  it('gives and takes the role, and tells the others', async () => {
    const { id, devices } = await makeGroup(1);
    const [admin, member] = devices as [Device, Device];
    const set = (user_id: string, is_admin: boolean) => ({ group_id: id, user_id, is_admin });
    const { group } = await admin.ok('group:set_admin', set(member.id, true));
    expect(group.admins).toEqual([admin.id, member.id]);
    expect(await member.next('group:updated')).toEqual({
      group,
      reason: 'admins_changed',
      actor_id: admin.id,
      user_ids: [member.id],
    });
    member.clear();
    await admin.ok('group:set_admin', set(member.id, true));
    await settle(member);
    expect(member.seen('group:updated')).toEqual([]);
    expect((await member.ok('group:set_admin', set(admin.id, false))).group.admins).toEqual([member.id]);
  });

  it('refuses to take the last role, also from two who take it from each other at once', async () => {
    const { id, devices } = await makeGroup(1);
    const [admin, member] = devices as [Device, Device];
    const set = (user_id: string, is_admin: boolean) => ({ group_id: id, user_id, is_admin });
    expect((await admin.refused('group:set_admin', set(admin.id, false))).code).toBe('conflict');
    expect((await admin.refused('group:set_admin', set(NOBODY, true))).code).toBe('not_found');
    expect((await member.refused('group:set_admin', set(member.id, true))).code).toBe('forbidden');
    for (let round = 0; round < 5; round++) {
      await admin.raw('group:set_admin', set(member.id, true));
      await member.raw('group:set_admin', set(admin.id, true));
      const answers = await Promise.all([
        admin.raw('group:set_admin', set(admin.id, false)),
        member.raw('group:set_admin', set(member.id, false)),
      ]);
      expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
      expect(answers.find((answer) => !answer.ok)!.error!.code).toBe('conflict');
    }
  });
});

describe('group:delete', () => {
  it('is for the creator, after which nobody finds the group', async () => {
    const { id, devices } = await makeGroup(2);
    const [creator, admin, member] = devices as [Device, Device, Device];
    await creator.ok('group:set_admin', { group_id: id, user_id: admin.id, is_admin: true });
    expect((await admin.refused('group:delete', { group_id: id })).code).toBe('forbidden');
    const { message } = await member.ok('message:send', { group_id: id, content: 'x' });
    const { group } = await creator.ok('group:delete', { group_id: id });
    expect(group.is_active).toBe(false);
    expect(await member.next('group:updated', ({ reason }) => reason === 'deleted')).toEqual({
      group,
      reason: 'deleted',
      actor_id: creator.id,
    });
    for (const device of devices) {
      for (const [name, payload] of [
        ['group:get', { group_id: id }],
        ['group:delete', { group_id: id }],
        ['group:leave', { group_id: id }],
        ['group:update', { group_id: id, name: 'x' }],
        ['group:add_members', { group_id: id, user_ids: [NOBODY] }],
        ['group:remove_member', { group_id: id, user_id: member.id }],
        ['group:set_admin', { group_id: id, user_id: member.id, is_admin: true }],
        ['message:send', { group_id: id, content: 'x' }],
        ['message:history', { group_id: id }],
        ['message:delete', { message_id: message._id }],
      ] as const) {
        expect((await device.refused(name, payload)).code, name).toBe('not_found');
      }
      expect((await device.ok('group:list', {})).groups).toEqual([]);
    }
  });
});

describe('a deactivated account', () => {
  const deactivate = async ({ access_token: token, password }: Account) =>
    expect((await http(server.url, 'DELETE', '/users/me', { token, body: { password } })).status).toBe(204);

  it('stays a member, but another one becomes admin where it was the only one', async () => {
    const { devices, accounts } = await makeGroup(2);
    const [creator, second] = devices as [Device, Device, Device];
    await deactivate(accounts[0]!);
    const news = await second.next('group:updated');
    expect(news).toMatchObject({ reason: 'admins_changed', user_ids: [second.id] });
    expect(news.group.admins).toEqual([creator.id, second.id]);
    expect(news.group.members).toContain(creator.id);
  });

  it('is no admin that a group could be left with, nor one to hand over to', async () => {
    const { id, devices, accounts } = await makeGroup(4);
    const [first, gone, second, alsoGone, third] = devices as [Device, Device, Device, Device, Device];
    const set = (user_id: string, is_admin: boolean) => ({ group_id: id, user_id, is_admin });
    await first.ok('group:set_admin', set(gone.id, true));
    await deactivate(accounts[1]!);
    await deactivate(accounts[3]!);
    expect((await first.refused('group:set_admin', set(first.id, false))).code).toBe('conflict');
    expect((await first.ok('group:leave', { group_id: id })).group.admins).toEqual([gone.id, second.id]);
    await second.ok('group:set_admin', set(alsoGone.id, true));
    await deactivate(accounts[2]!);
    const news = await third.next('group:updated', ({ actor_id }) => actor_id === second.id, 2000);
    await third.next('group:updated', ({ group }) => group.admins.includes(third.id), 2000);
    expect(news.group.members).toContain(second.id);
  });
});
