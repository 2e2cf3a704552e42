import { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect, connectPair, type Device, http, registerMany, settle } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import type { Way } from '../support/proxy.ts';

/** "Within 5 s of its return every node has delivered what it missed" (PROTOCOL section 10), in milliseconds. */
const HEALED_MS = 5000;

let cluster: Cluster;
let one: string;
let two: string;

beforeAll(async () => {
  cluster = await startCluster(2);
  [one, two] = cluster.urls as [string, string];
});

afterAll(() => cluster.stop());

afterEach(() => bothReady());

const apart = () => connectPair(one, two);

const readiness = async (url: string) => {
  const { status, json } = await http(url, 'GET', '/readyz');
  return `${status} ${json.status}`;
};

async function bothReady(): Promise<void> {
  for (const url of [one, two]) await expect.poll(() => readiness(url), { timeout: 30_000 }).toBe('200 ok');
}

const contents = (device: Device) => device.seen('message:new').map(({ message }) => message.content);

const ways = (act: (way: Way) => void) => async () => {
  for (const way of cluster.toRedis) act(way);
};
const OUTAGES: [string, () => Promise<void>, () => Promise<void>][] = [
  ['is gone', () => cluster.redis.kill(), () => cluster.redis.restart()],
  ['hangs', ways((way) => way.hang()), ways((way) => way.pass())],
  ['is cut off', ways((way) => way.cut()), ways((way) => way.pass())],
];

describe.each(OUTAGES)('while Redis %s', (_name, lose, regain) => {
  it('messages are stored and delivered locally, and to the other nodes within 5 s of its return', async () => {
    const [a, b] = await apart();
    const near = await connect(one, b.account);
    // In a conversation that the other node knows, and in one in which nothing was ever written.
    const [c] = await apart();
    await a.ok('message:send', { recipient_id: b.id, content: 'before' });
    await b.next('message:new');
    await lose();
    for (let i = 1; i <= 3; i++) await a.ok('message:send', { recipient_id: b.id, content: `during ${i}` });
    await c.ok('message:send', { recipient_id: b.id, content: 'the first one' });
    await near.next('message:new', ({ message }) => message.content === 'during 3');
    for (const url of [one, two]) await expect.poll(() => readiness(url)).toBe('200 degraded');
    const returned = Date.now();
    await regain();
    for (const content of ['during 3', 'the first one']) {
      await b.next('message:new', ({ message }) => message.content === content, HEALED_MS);
    }
    expect(Date.now() - returned).toBeLessThan(HEALED_MS);
    await bothReady();
    await a.ok('message:send', { recipient_id: b.id, content: 'after' });
    await b.next('message:new', ({ message }) => message.content === 'after');
    await settle(a, b);
    for (const device of [b, near]) {
      expect(contents(device).filter((content) => content !== 'the first one')).toEqual([
        'before',
        'during 1',
        'during 2',
        'during 3',
        'after',
      ]);
      expect(contents(device).filter((content) => content === 'the first one')).toHaveLength(1);
    }
  });
});

describe('while the node compares with the database', () => {
  it('the device that sends has its acknowledgement and no event besides', async () => {
    const accounts = await registerMany(one, 30);
    const devices = await Promise.all(accounts.map((account) => connect(one, account)));
    await cluster.redis.kill();
    // It does so every two seconds. What is being stored at that moment is found there before it is told.
    const until = Date.now() + 5000;
    await Promise.all(
      devices.map(async (device, i) => {
        const recipient_id = accounts[(i + 1) % accounts.length]!.id;
        while (Date.now() < until) await device.ok('message:send', { recipient_id, content: 'again and again' });
      }),
    );
    await settle(...devices);
    await cluster.redis.restart();
    for (const device of devices) {
      const told = device.seen('message:new').map(({ message }) => message);
      expect(told.filter(({ sender_id }) => sender_id === device.id)).toEqual([]);
      expect(new Set(told.map(({ _id }) => _id)).size).toBe(told.length);
    }
  });
});

describe('after Redis was away', () => {
  it('a new member of a group receives its messages, and a removed one receives nothing', async () => {
    const [admin, out, into] = await registerMany(one, 3);
    const a = await connect(one, admin!);
    const o = await connect(two, out!);
    const i = await connect(two, into!);
    const { group } = await a.ok('group:create', { name: 'g', member_ids: [o.id] });
    await o.next('group:updated');
    await cluster.redis.kill();
    await a.ok('group:remove_member', { group_id: group._id, user_id: o.id });
    await a.ok('group:add_members', { group_id: group._id, user_ids: [i.id] });
    await a.ok('message:send', { group_id: group._id, content: 'during' });
    await cluster.redis.restart();
    await i.next('message:new', ({ message }) => message.content === 'during', HEALED_MS);
    await bothReady();
    await a.ok('message:send', { group_id: group._id, content: 'after' });
    await i.next('message:new', ({ message }) => message.content === 'after');
    await settle(o, i);
    expect(contents(o)).toEqual([]);
    expect(contents(i)).toEqual(['during', 'after']);
  });
});

describe('states and marks that were told while Redis was away', () => {
  it('arrive on the other nodes within 5 s of its return; what a group did after removing a member does not reach them', async () => {
    const accounts = await registerMany(one, 3);
    const [a, near] = await Promise.all([connect(one, accounts[0]!), connect(one, accounts[1]!)]);
    const [b, out] = await Promise.all([connect(two, accounts[1]!), connect(two, accounts[2]!)]);
    await a.ok('contact:request', { user_id: b.id });
    await b.next('contact:updated');
    const { group } = await a.ok('group:create', { name: 'before', member_ids: [b.id, out.id] });
    await out.next('group:updated');
    await a.ok('message:send', { recipient_id: b.id, content: 'read this' });
    await b.next('message:new');
    await cluster.redis.kill();
    await b.ok('message:read', { recipient_id: a.id, up_to_seq: 1 });
    await b.ok('contact:accept', { user_id: a.id });
    await a.ok('group:update', { group_id: group._id, name: 'during' });
    await a.ok('group:remove_member', { group_id: group._id, user_id: out.id });
    await a.ok('group:update', { group_id: group._id, name: 'without them' });
    await near.next('group:updated', (event) => event.group.name === 'without them');
    for (const url of [one, two]) await expect.poll(() => readiness(url)).toBe('200 degraded');
    const returned = Date.now();
    await cluster.redis.restart();
    await a.next('message:status', ({ read_seq }) => read_seq === 1, HEALED_MS);
    await a.next('contact:updated', ({ contact }) => contact.status === 'accepted', HEALED_MS);
    await b.next('group:updated', (event) => event.group.name === 'without them', HEALED_MS);
    await out.next('group:updated', ({ reason }) => reason === 'member_removed', HEALED_MS);
    expect(Date.now() - returned).toBeLessThan(HEALED_MS);
    await bothReady();
    await settle(a, b, near, out);
    expect(out.seen('group:updated').map((event) => event.group.name)).not.toContain('without them');
    expect(near.seen('group:updated').filter((event) => event.group.name === 'without them')).toHaveLength(1);
  });
});

describe('a call that began while Redis was away', () => {
  it('rings on the other nodes within 5 s of its return, if it still rings', async () => {
    const [[a, b], [c, d]] = await Promise.all([apart(), apart()]);
    await cluster.redis.kill();
    const { call } = await a.ok('call:initiate', { recipient_id: b.id, call_type: 'voice' });
    const given = await c.ok('call:initiate', { recipient_id: d.id, call_type: 'voice' });
    await c.ok('call:end', { call_id: given.call._id });
    await cluster.redis.restart();
    await b.next('call:incoming', (event) => event.call._id === call._id, HEALED_MS);
    await d.next('call:updated', ({ reason }) => reason === 'cancelled', HEALED_MS);
    await b.ok('call:accept', { call_id: call._id });
    await bothReady();
    await a.next('call:updated', ({ reason }) => reason === 'accepted', HEALED_MS);
    await settle(b, d);
    expect(b.seen('call:incoming')).toHaveLength(1);
    expect(d.seen('call:incoming')).toEqual([]);
  });
});

describe('a node that alone has lost Redis', () => {
  it('still hears the others and is heard by them, through the database', async () => {
    const [a, b] = await apart();
    cluster.toRedis[0]!.cut();
    await expect.poll(() => readiness(one)).toBe('200 degraded');
    await a.ok('message:send', { recipient_id: b.id, content: 'from the cut off' });
    await b.next('message:new', undefined, 10_000);
    await b.ok('message:send', { recipient_id: a.id, content: 'to the cut off' });
    await a.next('message:new', undefined, 10_000);
    cluster.toRedis[0]!.pass();
    await bothReady();
    await settle(a, b);
    expect(contents(b)).toEqual(['from the cut off']);
    expect(contents(a)).toEqual(['to the cut off']);
  });
});

describe('a node that dies', () => {
  it('between storing a message and telling it leaves that to the others', async () => {
    const [a, b] = await apart();
    const { message } = await a.ok('message:send', { recipient_id: b.id, content: 'told' });
    await b.next('message:new');
    const client = await MongoClient.connect(cluster.database.url);
    try {
      const db = client.db();
      const { machine } = (await db.collection('nodes').findOne())!;
      const nodes = db.collection<{ _id: string }>('nodes');
      await nodes.insertOne({ _id: 'one that dies', machine, pid: 2 ** 22 + 1, beat: 1, seen_at: new Date() } as never);
      const stored = (await db.collection('messages').findOne({ conversation_id: message.conversation_id }))!;
      const now = new Date();
      const { _id, client_message_id: _none, ...rest } = stored;
      const next = { seq: 2, rev: 2, revs: [2], content: 'untold', created_at: now, updated_at: now };
      await db.collection('messages').insertOne({ ...rest, ...next });
      await db
        .collection<{ _id: string }>('conversations')
        .updateOne({ _id: message.conversation_id }, { $set: { rev: 2, last_seq: 2, changed_at: now } });
    } finally {
      await client.close();
    }
    await b.next('message:new', ({ message: { content } }) => content === 'untold', 10_000);
    await a.next('message:new', ({ message: { content } }) => content === 'untold', 10_000);
  });
});
