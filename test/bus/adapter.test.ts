/** The Socket.IO adapter over several nodes: ephemeral events, and the ecosystem's tools (docs/decisions/nodes.md). */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { createInterface } from 'node:readline';
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { Emitter } from '@socket.io/redis-emitter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect, connectPair, type Device, http, register, registerMany, settle } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { startDatabase } from '../support/database.ts';
import type { Way } from '../support/proxy.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { type ServerProcess, startProcessForTest, startServerProcess } from '../support/server-process.ts';

const CHANNEL = 'socket.io#/#';
const SECRET = 'the same secret on all nodes of one cluster';

let cluster: Cluster<ServerProcess>;
let one: string;
let two: string;

beforeAll(async () => {
  cluster = await startCluster(2, {}, startServerProcess);
  [one, two] = cluster.urls as [string, string];
});

afterAll(() => cluster.stop());

const readiness = async (url: string) => (await http(url, 'GET', '/readyz')).json.status as string;

async function allReady(urls: string[]): Promise<void> {
  for (const url of urls) await expect.poll(() => readiness(url), { timeout: 30_000 }).toBe('ok');
}

/** A connection to Redis that lasts as long as the test. */
function client(url = cluster.redis.url): Redis {
  const redis = new Redis(url);
  onTestFinished(() => redis.disconnect());
  return redis;
}

/**
 * What Redis carries out from now on, as it says it: `time [database from] "command" "argument" …`. By a socket of its own:
 * that of ioredis takes what comes in one piece with the answer to MONITOR for answers.
 */
async function monitored(): Promise<string[]> {
  const socket = connectTcp(cluster.redis.port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const lines = createInterface({ input: socket });
  socket.write('MONITOR\r\n');
  await once(lines, 'line');
  const commands: string[] = [];
  lines.on('line', (line) => commands.push(line));
  return commands;
}

/** Two users, each connected to another node. */
const apart = (first = one, second = two) => connectPair(first, second);

/** Two users on the same node. */
const together = () => connectPair(one, one);

/** Has one type until the other is told: the nodes may have become ready a moment before their adapters. */
async function typingPasses(from: Device, to: Device): Promise<void> {
  await expect
    .poll(async () => {
      await from.ok('typing:start', { recipient_id: to.id });
      await from.ok('typing:stop', { recipient_id: to.id });
      await settle(to);
      return to.seen('typing').length;
    })
    .toBeGreaterThan(0);
}

async function ongoingCall(a: Device, b: Device): Promise<string> {
  const { call } = await a.ok('call:initiate', { recipient_id: b.id, call_type: 'voice' });
  await b.ok('call:accept', { call_id: call._id });
  return call._id;
}

const sessionOf = (device: Device) => device.seen('session:ready')[0]!.session_id;

describe('ephemeral events', () => {
  it('pass between nodes: signals untouched and in their order', async () => {
    const [a, b] = await apart();
    await typingPasses(a, b);
    const call_id = await ongoingCall(a, b);
    const signals = Array.from({ length: 50 }, (_, n) => ({ n, sdp: 'v=0\r\n\0\ud800é', $gt: '' }));
    await Promise.all(signals.map((signal) => a.ok('call:signal', { call_id, to_user_id: b.id, signal })));
    await expect.poll(() => b.seen('call:signal').map((event) => event.signal)).toEqual(signals);
    await b.ok('call:end', { call_id });
  });

  it('are kept from those who have them switched off, whichever node they are on', async () => {
    const [first, second, third] = await registerMany(one, 3);
    const a = await connect(one, first!);
    const [b, off] = await Promise.all([connect(two, second!), connect(two, third!)]);
    const body = { settings: { typing_indicators_enabled: false } };
    await http(one, 'PATCH', '/users/me', { token: off.account.access_token, body });
    const { group } = await a.ok('group:create', { name: 'g', member_ids: [b.id, off.id] });
    await b.next('group:updated');
    await a.ok('typing:start', { group_id: group._id });
    await b.next('typing');
    await settle(a, off);
    expect([...a.seen('typing'), ...off.seen('typing')]).toEqual([]);
  });
});

describe('the tools of the ecosystem', () => {
  it('an emitter in another process reaches users, groups and sessions on every node', async () => {
    const [account, other] = await registerMany(one, 2);
    const devices = await Promise.all([one, two].map((url) => connect(url, account!)));
    const outsider = await connect(two, other!);
    const { group } = await devices[0]!.ok('group:create', { name: 'g', member_ids: [] });
    await devices[1]!.next('group:updated');
    const emitter = new Emitter(client());
    const rooms = [`user:${account!.id}`, `group:${group._id}`, `session:${sessionOf(devices[0]!)}`];
    for (const room of rooms) {
      const payload = { conversation_id: room, user_id: other!.id, is_typing: true };
      emitter.to(room).emit('typing', payload);
      for (const device of devices) await device.next('typing', (typing) => typing.conversation_id === room);
    }
    emitter.in(rooms[0]!).disconnectSockets();
    for (const { socket } of devices) await expect.poll(() => socket.connected).toBe(false);
    await settle(outsider);
    expect(outsider.seen('typing')).toEqual([]);
    for (const device of devices) expect(device.seen('typing')).toHaveLength(rooms.length);
  });

  it.each([
    ['sharded', () => createShardedAdapter(client(), client(), { subscriptionMode: 'static' })],
    ['classic', () => createAdapter(client(), client())],
  ])('a process with a %s adapter finds and reaches the sockets of all nodes', async (_name, adapter) => {
    const account = await register(one);
    const devices = await Promise.all([one, two, two].map((url) => connect(url, account)));
    const io = new Server({ adapter: adapter() });
    const ids = async () => (await io.in(`user:${account.id}`).fetchSockets()).map(({ id }) => id).sort();
    await expect.poll(ids).toEqual(devices.map(({ socket }) => socket.id).sort());
    const everybody = await io.fetchSockets();
    expect(everybody.length).toBeGreaterThanOrEqual(devices.length);
    expect(JSON.stringify(everybody.map(({ handshake }) => handshake))).not.toContain(account.access_token);
    io.to(`user:${account.id}`).emit('typing', { conversation_id: 'c', user_id: account.id, is_typing: true });
    for (const device of devices) await device.next('typing');
  });
});

describe('the path of a message', () => {
  it('does not touch the adapter, which has no subscription for rooms', async () => {
    const redis = client();
    const channels = async () => [
      ...((await redis.pubsub('SHARDCHANNELS', 'socket.io*')) as string[]),
      ...((await redis.pubsub('CHANNELS', 'socket.io*')) as string[]),
    ];
    const [a, b] = await apart();
    await typingPasses(a, b);
    const before = await channels();
    expect(before).toContain(CHANNEL);

    const commands = await monitored();
    const [c, d] = await apart();
    const { group } = await c.ok('group:create', { name: 'g', member_ids: [d.id] });
    await d.next('group:updated');
    for (const target of [{ recipient_id: d.id }, { group_id: group._id }]) {
      const { message } = await c.ok('message:send', { ...target, content: 'hello' });
      await d.next('message:new', ({ message: { _id } }) => _id === message._id);
      await d.ok('message:read', {
        ...('group_id' in target ? target : { recipient_id: c.id }),
        up_to_seq: message.seq,
      });
      await c.ok('message:edit', { message_id: message._id, content: 'edited' });
    }
    await d.next('message:updated');
    await c.next('message:status');
    await settle(c, d);
    await redis.echo('the end');
    await expect.poll(() => commands).toContainEqual(expect.stringMatching(/"echo" "the end"$/));
    // Not what ends by itself of the tests before.
    const concerned = [a.id, c.id, d.id, group._id];
    const published = () =>
      commands
        .filter((command) => /"s?publish" "socket\.io/i.test(command))
        .filter((command) => concerned.some((id) => command.includes(id)));
    expect(published()).toEqual([]);
    expect((await channels()).sort()).toEqual(before.sort());

    commands.length = 0;
    await a.ok('typing:start', { recipient_id: b.id });
    await redis.echo('typed');
    await expect.poll(() => commands).toContainEqual(expect.stringMatching(/"echo" "typed"$/));
    expect(published()).toEqual([expect.stringMatching(/"spublish" "socket\.io#\/#" .*typing/)]);
  });
});

const ways = (act: (way: Way) => void) => async () => {
  for (const way of cluster.toRedis) act(way);
};
const OUTAGES: [string, () => Promise<void>, () => Promise<void>][] = [
  ['is gone', () => cluster.redis.kill(), () => cluster.redis.restart()],
  ['hangs', ways((way) => way.hang()), ways((way) => way.pass())],
  ['is cut off', ways((way) => way.cut()), ways((way) => way.pass())],
];

describe.each(OUTAGES)('while Redis %s', (_name, lose, regain) => {
  afterEach(() => allReady([one, two]));

  it('typing and signals pass on the own node at once, and between nodes again when it is back', async () => {
    const [a, b] = await together();
    const far = await connect(two, b.account);
    const call_id = await ongoingCall(a, b);
    await lose();
    // Before the outage is noticed, and after.
    for (const status of ['ok', 'degraded']) {
      if (status === 'degraded') await expect.poll(() => readiness(one)).toBe(status);
      b.clear();
      await a.ok('typing:start', { recipient_id: b.id });
      await a.ok('call:signal', { call_id, to_user_id: b.id, signal: { status } });
      await a.ok('typing:stop', { recipient_id: b.id });
      // What came after an answer that was asked for later was not sent at once.
      await settle(b);
      expect(b.seen('typing').map(({ is_typing }) => is_typing)).toEqual([true, false]);
      expect(b.seen('call:signal').map(({ signal }) => signal)).toEqual([{ status }]);
    }
    await regain();
    await allReady([one, two]);
    far.clear();
    await typingPasses(a, far);
    expect(cluster.nodes.map((node) => node.output()).join()).not.toMatch(/unhandled|uncaught/i);
    await a.ok('call:end', { call_id });
  });
});

/** Two nodes over a Redis of their own. */
async function startNodes(redis: TestRedis): Promise<[string, string]> {
  const database = await startDatabase();
  onTestFinished(() => database.stop());
  const env = { MONGODB_URL: database.url, REDIS_URL: redis.url, JWT_SECRET: SECRET };
  const nodes = await Promise.all([startProcessForTest({ env }), startProcessForTest({ env })]);
  return nodes.map(({ url }) => url) as [string, string];
}

it('nodes that were started without Redis find each other when it comes, and use what it has', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  await redis.kill();
  const [first, second] = await startNodes(redis);
  const [a, b] = await apart(first, second);
  const near = await connect(first, b.account);
  await a.ok('typing:start', { recipient_id: b.id });
  await settle(near, b);
  expect([near.seen('typing').length, b.seen('typing').length]).toEqual([1, 0]);
  await redis.restart();
  await allReady([first, second]);
  await typingPasses(a, b);
  expect(await client(redis.url).pubsub('SHARDCHANNELS', CHANNEL)).toEqual([CHANNEL]);
});

it('where Redis does not say that it is 7 or newer, the classic adapter carries everything', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  await client(redis.url).call('ACL', 'SETUSER', 'default', '-info', '-spublish', '-ssubscribe');
  const [first, second] = await startNodes(redis);
  const [a, b] = await apart(first, second);
  await typingPasses(a, b);
  await typingPasses(b, a);
  b.clear();
  new Emitter(client(redis.url)).to(`user:${b.id}`).emit('typing', {
    conversation_id: 'c',
    user_id: a.id,
    is_typing: true,
  });
  await b.next('typing', ({ conversation_id }) => conversation_id === 'c');
  expect(await client(redis.url).pubsub('SHARDCHANNELS')).toEqual([]);
});
