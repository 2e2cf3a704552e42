/** One user against others by way of groups: who can be put into them, how often, and into how many. */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_GROUPS } from '../../server/groups/group-limit.ts';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { GroupDocument } from '../../server/model/documents/groups.ts';
import { connect, type Device, http, register, registerMany, settle } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { NOBODY } from './scene.ts';

const JWT_SECRET = 'the same secret on both nodes of a database';

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
let server: TestServer;
let limited: TestServer;
let contactsOnly: TestServer;

beforeAll(async () => {
  database = await startDatabase();
  server = await startServer({ env: { MONGODB_URL: database.url, JWT_SECRET } });
  [limited, contactsOnly] = await Promise.all([
    startServer({ env: { RATE_LIMITS: 'on' } }),
    startServer({ env: { GROUP_ADD: 'contacts' } }),
  ]);
  client = await new MongoClient(database.url).connect();
  stored = collections(client.db());
});
afterAll(async () => {
  await client.close();
  await Promise.all([server, limited, contactsOnly].map((one) => one.stop()));
  await database.stop();
});

async function device(on: TestServer = server): Promise<Device> {
  return connect(on.url, await register(on.url));
}

async function becomeContacts(one: Device, other: Device): Promise<void> {
  await one.ok('contact:request', { user_id: other.id });
  await other.ok('contact:accept', { user_id: one.id });
}

describe('RATE_LIMITS', () => {
  it('lets a user make 60 groups an hour, over all connections', async () => {
    const account = await register(limited.url);
    const devices = [await connect(limited.url, account), await connect(limited.url, account)];
    for (let i = 0; i < 60; i++) await devices[i % 2]!.ok('group:create', { name: `${i}`, member_ids: [] });
    const refused = await devices[0]!.refused('group:create', { name: '61', member_ids: [] });
    expect(refused.code).toBe('rate_limited');
    const { retry_after_ms } = refused.details as { retry_after_ms: number };
    expect(retry_after_ms).toBeGreaterThan(3_000_000);
    expect(retry_after_ms).toBeLessThanOrEqual(3_600_000);
    expect((await devices[1]!.ok('group:list')).groups).toHaveLength(60);
    const { access_token: token } = account;
    const answer = await http(limited.url, 'POST', '/api/group/create', { token, body: { name: 'x', member_ids: [] } });
    expect(answer.status).toBe(429);
    // Others are not concerned.
    await (await device(limited)).ok('group:create', { name: 'mine', member_ids: [] });
  });

  it('lets a user put 1,000 members an hour into groups: each counts, in creations and additions', async () => {
    const [a, b] = [await device(limited), await device(limited)];
    const strangers = (count: number) => Array.from({ length: count }, () => new ObjectId().toHexString());
    const { group } = await a.ok('group:create', { name: 'G', member_ids: [] });
    const add = (user_ids: string[]) => a.refused('group:add_members', { group_id: group._id, user_ids });
    // Attempts count, but not what is malformed.
    expect((await add(['malformed', ...strangers(500)])).code).toBe('validation_failed');
    expect((await a.refused('group:create', { name: 'x', member_ids: strangers(500) })).code).toBe('not_found');
    expect((await add(strangers(499))).code).toBe('not_found');
    expect((await add(strangers(2))).code).toBe('rate_limited');
    await a.ok('group:add_members', { group_id: group._id, user_ids: [b.id, b.id] });
    expect((await add([b.id])).code).toBe('rate_limited');
    expect((await a.refused('group:create', { name: 'x', member_ids: [b.id] })).code).toBe('rate_limited');
    await a.ok('group:create', { name: 'alone', member_ids: [] });
  });
});

describe('GROUP_ADD=contacts', () => {
  it('lets only accepted contacts of the one who acts be put into a group', async () => {
    const [a, friend, asked, stranger] = await Promise.all(Array.from({ length: 4 }, () => device(contactsOnly)));
    await becomeContacts(a!, friend!);
    await a!.ok('contact:request', { user_id: asked!.id });
    const create = (...ids: string[]) => a!.refused('group:create', { name: 'G', member_ids: ids });
    expect((await create(friend!.id, stranger!.id)).code).toBe('forbidden');
    expect((await create(asked!.id)).code).toBe('forbidden');
    expect((await create(NOBODY)).code).toBe('not_found');
    const { group } = await a!.ok('group:create', { name: 'G', member_ids: [friend!.id] });
    const group_id = group._id;
    expect((await a!.refused('group:add_members', { group_id, user_ids: [stranger!.id] })).code).toBe('forbidden');
    // It is the one who acts that counts, not the group.
    await a!.ok('group:set_admin', { group_id, user_id: friend!.id, is_admin: true });
    await becomeContacts(friend!, stranger!);
    await friend!.ok('group:add_members', { group_id, user_ids: [stranger!.id] });
    await a!.ok('contact:remove', { user_id: friend!.id });
    await friend!.ok('group:leave', { group_id });
    expect((await a!.refused('group:add_members', { group_id, user_ids: [friend!.id] })).code).toBe('forbidden');
    expect(stranger!.seen('group:updated')).not.toEqual([]);
  });
});

describe('who left', () => {
  it('can be added again twice by a stranger, and by a contact always', async () => {
    const [admin, leaver] = [await device(), await device()];
    const { group } = await admin.ok('group:create', { name: 'G', member_ids: [leaver.id] });
    const target = { group_id: group._id };
    const add = { ...target, user_ids: [leaver.id] };
    for (let left = 0; left < 2; left++) {
      await leaver.ok('group:leave', target);
      await admin.ok('group:add_members', add);
    }
    await leaver.ok('group:leave', target);
    expect((await admin.refused('group:add_members', add)).code).toBe('forbidden');
    // Another group is another matter, and nobody else is concerned.
    await admin.ok('group:create', { name: 'Another', member_ids: [leaver.id] });
    const late = await device();
    await admin.ok('group:add_members', { ...target, user_ids: [late.id] });
    expect((await admin.refused('group:add_members', { ...add, user_ids: [late.id, leaver.id] })).code).toBe(
      'forbidden',
    );

    await becomeContacts(admin, leaver);
    await admin.ok('group:add_members', add);
    await leaver.ok('group:leave', target);
    await admin.ok('group:add_members', add);
  });

  it('is not who was removed', async () => {
    const [admin, member] = [await device(), await device()];
    const { group } = await admin.ok('group:create', { name: 'G', member_ids: [member.id] });
    const target = { group_id: group._id };
    for (let removed = 0; removed < 5; removed++) {
      await admin.ok('group:remove_member', { ...target, user_id: member.id });
      await admin.ok('group:add_members', { ...target, user_ids: [member.id] });
    }
  });
});

describe('1,000 groups', () => {
  /** Puts a user into so many groups of somebody who does not exist. */
  async function fill(userId: string, count: number): Promise<void> {
    const user_id = new ObjectId(userId);
    const at = new Date();
    const creator = new ObjectId();
    const groups = Array.from(
      { length: count },
      (_, i): GroupDocument => ({
        _id: new ObjectId(),
        name: `${i}`,
        description: null,
        icon: null,
        creator_id: creator,
        members: [creator, user_id],
        admins: [creator],
        created_at: at,
        updated_at: at,
        is_active: true,
      }),
    );
    await stored.groups.insertMany(groups);
    await stored.memberships.insertMany(
      groups.map(({ _id }) => ({
        _id: new ObjectId(),
        user_id,
        conversation_id: _id.toHexString(),
        kind: 'group' as const,
        group_id: _id,
        from_seq: 0,
        joined_at: at,
        delivered_seq: 0,
        read_seq: 0,
        shown_read_seq: 0,
        changed_at: at,
      })),
    );
  }
  const groupsOf = (userId: string) => stored.groups.countDocuments({ members: new ObjectId(userId), is_active: true });

  it('are as many as a user can be in: one more is a conflict for whoever creates or adds', async () => {
    const [full, other] = [await device(), await device()];
    await fill(full.id, MAX_GROUPS - 1);
    const { group } = await other.ok('group:create', { name: 'The last', member_ids: [full.id] });
    const { group: another } = await other.ok('group:create', { name: 'Another', member_ids: [] });
    const add = { group_id: another._id, user_ids: [full.id] };
    expect((await other.refused('group:add_members', add)).code).toBe('conflict');
    expect((await other.refused('group:create', { name: 'x', member_ids: [full.id] })).code).toBe('conflict');
    expect((await full.refused('group:create', { name: 'x', member_ids: [other.id] })).code).toBe('conflict');
    expect(await groupsOf(full.id)).toBe(MAX_GROUPS);
    // Being added where one is already changes nothing, and who leaves one can be in another.
    await other.ok('group:add_members', { group_id: group._id, user_ids: [full.id] });
    await full.ok('group:leave', { group_id: group._id });
    await other.ok('group:add_members', add);
    expect((await full.ok('group:list')).groups).toHaveLength(MAX_GROUPS);
    expect((await full.ok('conversation:list', { limit: 20 })).conversations).toHaveLength(20);
  });

  it('are not exceeded by many who add at once', async () => {
    const victim = await device();
    await fill(victim.id, MAX_GROUPS - 3);
    const others = await Promise.all((await registerMany(server.url, 10)).map((one) => connect(server.url, one)));
    const answers = await Promise.all(
      others.map((other, i) => other.raw('group:create', { name: `${i}`, member_ids: [victim.id] })),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(3);
    expect(answers.flatMap(({ error }) => error?.code ?? [])).toEqual(Array(7).fill('conflict'));
    expect(await groupsOf(victim.id)).toBe(MAX_GROUPS);
  });
});

describe('client_group_id', () => {
  it('makes a creation idempotent: a repeat is answered with the group and tells nobody', async () => {
    const [a, b] = [await device(), await device()];
    const payload = { name: 'G', member_ids: [b.id], client_group_id: 'mine' };
    const first = await a.ok('group:create', payload);
    expect(first.duplicate).toBeUndefined();
    await a.ok('group:update', { group_id: first.group._id, name: 'Renamed' });
    const again = await a.ok('group:create', { ...payload, name: 'Something else' });
    expect(again).toMatchObject({ duplicate: true, group: { _id: first.group._id, name: 'Renamed' } });
    await settle(b);
    expect(b.seen('group:updated', ({ reason }) => reason === 'created')).toHaveLength(1);
    expect(JSON.stringify(b.seen('group:updated'))).not.toContain('client_group_id');
    // It is the creator's own name for it.
    const theirs = await b.ok('group:create', payload);
    expect(theirs).toMatchObject({ group: { creator_id: b.id } });
    await a.ok('group:leave', { group_id: first.group._id });
    expect((await a.refused('group:create', payload)).code).toBe('conflict');
    for (const client_group_id of ['', 'x'.repeat(65), 5, null]) {
      expect((await a.refused('group:create', { ...payload, client_group_id })).code).toBe('validation_failed');
    }
  });

  it('makes one group of many commands at once on two nodes, and leaves nothing of the others', async () => {
    const other = await startServer({ env: { MONGODB_URL: database.url, JWT_SECRET } });
    try {
      const account = await register(server.url);
      const member = await register(server.url);
      const nodes = [await connect(server.url, account), await connect(other.url, account)];
      for (let round = 0; round < 10; round++) {
        const payload = { name: 'G', member_ids: [member.id], client_group_id: `round ${round}` };
        const answers = await Promise.all([0, 1, 0, 1].map((i) => nodes[i]!.ok('group:create', payload)));
        expect(new Set(answers.map(({ group }) => group._id)).size).toBe(1);
        expect(answers.filter(({ duplicate }) => !duplicate)).toHaveLength(1);
      }
      const user_id = new ObjectId(account.id);
      expect(await stored.groups.countDocuments({ creator_id: user_id })).toBe(10);
      expect(await stored.memberships.countDocuments({ user_id, kind: 'group' })).toBe(10);
    } finally {
      await other.stop();
    }
  });
});

describe('under load', () => {
  it('what is answered unavailable was not carried out', async () => {
    const creator = await device();
    const ids = await createUsers(300);
    const acknowledged = await Promise.all(
      Array.from({ length: 100 }, (_, i) => creator.raw('group:create', { name: `${i}`, member_ids: ids })),
    );
    const codes = acknowledged.flatMap(({ error }) => error?.code ?? []);
    expect(new Set([...codes, 'unavailable'])).toEqual(new Set(['unavailable']));
    const made = acknowledged.length - codes.length;
    // Nothing comes later either: the last of them has had its turn.
    await creator.ok('group:create', { name: 'last', member_ids: [] });
    expect((await creator.ok('group:list')).groups).toHaveLength(made + 1);
    expect(made).toBeGreaterThan(0);
  });

  /** Users who can be put into groups, written straight into the database. */
  async function createUsers(count: number): Promise<string[]> {
    const { _id, ...like } = (await stored.users.findOne({}))!;
    const users = Array.from({ length: count }, () => {
      const user = new ObjectId();
      const name = user.toHexString();
      return { ...like, _id: user, username_key: name, email_key: `${name}@example.test` };
    });
    await stored.users.insertMany(users);
    return users.map((user) => user._id.toHexString());
  }
});
