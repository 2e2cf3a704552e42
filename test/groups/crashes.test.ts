/** Two nodes over one database, and the states that a process leaves which dies between two writes. */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBus } from '../../server/bus/bus.ts';
import type { Operation } from '../../server/bus/operations.ts';
import { createVisibility } from '../../server/conversations/visibility.ts';
import { createRooms } from '../../server/groups/rooms.ts';
import { type Collections, collections } from '../../server/model/collections.ts';
import { connect, type Device, registerMany, settle } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

let database: TestDatabase;
let servers: ServerProcess[];
let client: MongoClient;
let stored: Collections;

beforeAll(async () => {
  database = await startDatabase();
  const env = { MONGODB_URL: database.url, JWT_SECRET: 'a'.repeat(32), GROUP_MAX_MEMBERS: '6' };
  servers = await Promise.all([0, 1].map(() => startServerProcess({ env })));
  client = await MongoClient.connect(database.url);
  stored = collections(client.db());
});
afterAll(async () => {
  await client.close();
  await Promise.all(servers.map((server) => server.stop()));
  await database.stop();
});

/** Devices of so many people, on the two nodes by turns. */
async function people(count: number): Promise<Device[]> {
  const accounts = await registerMany(servers[0]!.url, count);
  return Promise.all(accounts.map((account, i) => connect(servers[i % 2]!.url, account)));
}

describe('two nodes at once', () => {
  it('never add more members than allowed', async () => {
    const [one, two, ...late] = (await people(10)) as [Device, Device, ...Device[]];
    const { group } = await one.ok('group:create', { name: 'G', member_ids: [two.id] });
    await one.ok('group:set_admin', { group_id: group._id, user_id: two.id, is_admin: true });
    const add = (admin: Device, user: Device) =>
      admin.raw('group:add_members', { group_id: group._id, user_ids: [user.id] });
    const answers = await Promise.all(late.map((user, i) => add(i % 2 ? one : two, user)));
    expect(answers.filter((answer) => answer.ok)).toHaveLength(4);
    const { members } = (await one.ok('group:get', { group_id: group._id })).group;
    expect(new Set(members).size).toBe(6);
    const added = late.filter((_, i) => answers[i]!.ok).map((device) => device.id);
    expect(members.slice(2).toSorted()).toEqual(added.toSorted());
  });

  it('let exactly one of two admins win who remove each other', async () => {
    const [one, two] = (await people(2)) as [Device, Device];
    for (let round = 0; round < 5; round++) {
      const { group } = await one.ok('group:create', { name: 'G', member_ids: [two.id] });
      await one.ok('group:set_admin', { group_id: group._id, user_id: two.id, is_admin: true });
      const answers = await Promise.all([
        one.raw('group:remove_member', { group_id: group._id, user_id: two.id }),
        two.raw('group:remove_member', { group_id: group._id, user_id: one.id }),
      ]);
      expect(answers.filter((answer) => answer.ok)).toHaveLength(1);
      const { members, admins } = (await stored.groups.findOne({ _id: new ObjectId(group._id) }))!;
      expect(admins).toEqual(members);
      expect(members).toHaveLength(1);
    }
  });

  it('never show what was sent while somebody was away, however adding and removing collide', async () => {
    const [one, two, moved] = (await people(3)) as [Device, Device, Device];
    const { group } = await one.ok('group:create', { name: 'G', member_ids: [two.id, moved.id] });
    const group_id = group._id;
    await one.ok('group:set_admin', { group_id, user_id: two.id, is_admin: true });
    for (let round = 0; round < 10; round++) {
      await one.raw('group:remove_member', { group_id, user_id: moved.id });
      const { message } = await one.ok('message:send', { group_id, content: 'not for the one who is away' });
      await Promise.all([
        two.raw('group:add_members', { group_id, user_ids: [moved.id] }),
        one.raw('group:add_members', { group_id, user_ids: [moved.id] }),
        ...(round % 2 ? [one.raw('group:remove_member', { group_id, user_id: moved.id })] : []),
      ]);
      const answer = await moved.raw('message:history', { group_id });
      const visible = answer.ok ? (answer.data as { messages: { seq: number }[] }).messages : [];
      expect(visible.filter(({ seq }) => seq <= message.seq)).toEqual([]);
    }
  });
});

describe('after a crash between two writes', () => {
  it('an unfinished creation leaves a group that nobody finds', async () => {
    const [ann] = (await people(1)) as [Device];
    const group_id = new ObjectId();
    const now = new Date();
    await stored.memberships.insertOne({
      _id: new ObjectId(),
      user_id: new ObjectId(ann.id),
      conversation_id: group_id.toHexString(),
      kind: 'group',
      group_id,
      from_seq: 0,
      joined_at: now,
      delivered_seq: 0,
      read_seq: 0,
      shown_read_seq: 0,
      changed_at: now,
    });
    expect((await ann.ok('group:list', {})).groups).toEqual([]);
    for (const name of ['group:get', 'message:history'] as const) {
      expect((await ann.refused(name, { group_id: group_id.toHexString() })).code).toBe('not_found');
    }
    const again = await connect(servers[0]!.url, ann.account);
    expect((await again.ok('group:list', {})).groups).toEqual([]);
  });

  it('a removed member receives nothing, although the membership still says otherwise', async () => {
    const [ann, , bob] = (await people(3)) as [Device, Device, Device];
    const { group } = await ann.ok('group:create', { name: 'G', member_ids: [bob.id] });
    await stored.groups.updateOne({ _id: new ObjectId(group._id) }, { $pull: { members: new ObjectId(bob.id) } });
    const again = await connect(servers[0]!.url, bob.account);
    await ann.ok('message:send', { group_id: group._id, content: 'x' });
    await settle(again);
    expect(again.seen('message:new')).toEqual([]);
    expect((await again.refused('message:history', { group_id: group._id })).code).toBe('not_found');
  });

  it('a stay that was opened too early reveals nothing, and adding the user again works', async () => {
    const [ann, , bob] = (await people(3)) as [Device, Device, Device];
    const { group } = await ann.ok('group:create', { name: 'G', member_ids: [bob.id] });
    const group_id = group._id;
    await ann.ok('group:remove_member', { group_id, user_id: bob.id });
    await ann.ok('message:send', { group_id, content: 'while away' });
    await stored.memberships.updateOne(
      { user_id: new ObjectId(bob.id), conversation_id: group_id },
      { $max: { from_seq: 1 }, $unset: { left_at: true } },
    );
    expect((await bob.refused('message:history', { group_id })).code).toBe('not_found');
    await ann.ok('message:send', { group_id, content: 'while away, too' });
    await ann.ok('group:add_members', { group_id, user_ids: [bob.id] });
    expect((await bob.ok('message:history', { group_id })).messages).toEqual([]);
  });
});

describe('an order to the rooms', () => {
  it('is followed by the right one if a newer change has overtaken it', async () => {
    const [ann, , bob] = (await people(3)) as [Device, Device, Device];
    const { group } = await ann.ok('group:create', { name: 'G', member_ids: [] });
    const given: Operation[] = [];
    const bus = createBus({ publish: (operation) => void given.push(operation), close: async () => {} });
    const rooms = createRooms(stored, bus, createVisibility(false));
    const order = (from_seq: number | null) => ({
      kind: 'membership',
      user_id: bob.id,
      group_id: group._id,
      from_seq,
    });
    // One node added Bob, but by now the group says that another one has removed him; then the other way round.
    await rooms.joined(group._id, [bob.id], 0);
    expect(given.splice(0)).toEqual([order(0), order(null)]);
    await rooms.left(group._id, [bob.id]);
    expect(given.splice(0)).toEqual([order(null)]);
    await ann.ok('message:send', { group_id: group._id, content: 'x' });
    await ann.ok('group:add_members', { group_id: group._id, user_ids: [bob.id] });
    await rooms.left(group._id, [bob.id]);
    expect(given.splice(0)).toEqual([order(null), order(1)]);
    await rooms.joined(group._id, [bob.id], 1);
    expect(given.splice(0)).toEqual([order(1)]);
  });
});
