import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Device, register, registerMany, settle } from '../support/client.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { makeGroup, makeGroupOf, NOBODY } from './scene.ts';

let server: TestServer;

beforeAll(async () => {
  server = await startServer({ env: { GROUP_MAX_MEMBERS: '6' } });
});
afterAll(() => server?.stop());

const history = async (device: Device, group_id: string) =>
  (await device.ok('message:history', { group_id })).messages.map((message) => message.content);

describe('group:add_members', () => {
  it('adds those who are not members yet, and tells everyone, including them', async () => {
    const { id, devices } = await makeGroup(server, 1);
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

  it('is for admins, and refuses unknown users and users with a block between them and the admin', async () => {
    const { id, devices } = await makeGroup(server, 2);
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
    // A block does not affect people who are members already.
    await blocker.ok('contact:block', { user_id: admin.id });
    await admin.ok('group:add_members', { group_id: id, user_ids: [blocker.id] });
    await admin.ok('message:send', { group_id: id, content: 'both go on' });
    await blocker.next('message:new');
  });

  it('never exceeds the limit, however many are added at once', async () => {
    const { id, devices } = await makeGroup(server, 2);
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
  it('begins where a member joined, the last time for one who comes back', async () => {
    const { id, devices } = await makeGroup(server, 1);
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

  it('has no gap for members who join while others write', async () => {
    const { id, devices } = await makeGroup(server, 1);
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
  it('tells the others and the removed member, who receives nothing from then on', async () => {
    const { id, devices } = await makeGroup(server, 2);
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
    // Nor does a device that connects later.
    const again = await connect(server.url, gone.account);
    await admin.ok('message:send', { group_id: id, content: 'secret too' });
    await settle(again);
    expect(again.seen('message:new')).toEqual([]);
  });

  it('is for admins, and finds only members', async () => {
    const { id, devices } = await makeGroup(server, 2);
    const [admin, one, two] = devices as [Device, Device, Device];
    expect((await one.refused('group:remove_member', { group_id: id, user_id: two.id })).code).toBe('forbidden');
    expect((await one.refused('group:remove_member', { group_id: id, user_id: one.id })).code).toBe('forbidden');
    expect((await admin.refused('group:remove_member', { group_id: id, user_id: NOBODY })).code).toBe('not_found');
    await admin.ok('group:remove_member', { group_id: id, user_id: one.id });
    expect((await admin.refused('group:remove_member', { group_id: id, user_id: one.id })).code).toBe('not_found');
  });

  it('lets exactly one of two admins win who remove each other', async () => {
    const { devices } = await makeGroup(server, 2);
    const [one, two, witness] = devices as [Device, Device, Device];
    for (let round = 0; round < 5; round++) {
      const id = await makeGroupOf(devices);
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

  it('agrees with a simultaneous `add_members` on who receives messages', async () => {
    const { id, devices } = await makeGroup(server, 2);
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
  it("tells the others and the member's other devices", async () => {
    const { id, devices } = await makeGroup(server, 1);
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

  it('hands over from the last admin to the longest-standing member, and an empty group ends', async () => {
    const { id, devices } = await makeGroup(server, 2);
    const [first, second, third] = devices as [Device, Device, Device];
    expect((await first.ok('group:leave', { group_id: id })).group.admins).toEqual([second.id]);
    await second.ok('group:add_members', { group_id: id, user_ids: [first.id] });
    expect((await second.ok('group:leave', { group_id: id })).group.admins).toEqual([third.id]);
    await third.ok('group:leave', { group_id: id });
    const { group } = await first.ok('group:leave', { group_id: id });
    expect(group).toMatchObject({ members: [], admins: [], is_active: false });
    expect((await first.refused('group:get', { group_id: id })).code).toBe('not_found');
  });

  it('leaves an admin, whoever leaves at the same time', async () => {
    const { devices } = await makeGroup(server, 3);
    const [one, two, ...rest] = devices as [Device, Device, Device, Device];
    for (let round = 0; round < 5; round++) {
      const id = await makeGroupOf(devices);
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
