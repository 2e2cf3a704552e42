import { Emitter } from '@socket.io/redis-emitter';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { connect, connectPair, http, register, settle } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { freePort, startRedis, type TestRedis } from '../support/redis.ts';
import { startServer, type TestServer } from '../support/server.ts';

const SLOTS = 16_384;
const MASTERS = 3;

let masters: TestRedis[] = [];
let database: TestDatabase | undefined;
let servers: TestServer[] = [];

/** Three masters that know each other and share the slots. */
async function startRedisCluster(): Promise<TestRedis[]> {
  const busPorts = await Promise.all(Array.from({ length: MASTERS }, freePort));
  const started = await Promise.all(
    busPorts.map((port) =>
      startRedis(['--cluster-enabled', 'yes', '--cluster-port', String(port), '--cluster-node-timeout', '2000']),
    ),
  );
  const clients = started.map(({ url }) => new Redis(url));
  for (const [i, client] of clients.entries()) {
    const from = Math.floor((SLOTS / MASTERS) * i);
    const to = Math.floor((SLOTS / MASTERS) * (i + 1)) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to);
    if (i > 0) await client.call('CLUSTER', 'MEET', '127.0.0.1', started[0]!.port, busPorts[0]!);
  }
  for (const client of clients) {
    const isReady = async () =>
      /cluster_state:ok[\s\S]*cluster_known_nodes:3/.test(String(await client.call('CLUSTER', 'INFO')));
    while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 50));
    client.disconnect();
  }
  return started;
}

beforeAll(async () => {
  [database, masters] = await Promise.all([startDatabase(), startRedisCluster()]);
  const env = {
    MONGODB_URL: database!.url,
    REDIS_URL: masters.map((master) => master.url).join(','),
    JWT_SECRET: 'the same secret on all nodes of one cluster',
    RATE_LIMITS: 'on',
  };
  servers = await Promise.all([startServer({ env }), startServer({ env })]);
});

afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await Promise.all(masters.map((master) => master.stop()));
  await database?.stop();
});

const readiness = async () =>
  Promise.all(servers.map(async ({ url }) => (await http(url, 'GET', '/readyz')).json.status as string));

const apart = () => connectPair(servers[0]!.url, servers[1]!.url);

it('messages, typing, groups and sessions go over a Redis Cluster', async () => {
  await expect.poll(readiness, { timeout: 30_000 }).toEqual(['ok', 'ok']);
  const pairs = [await apart(), await apart(), await apart()];
  for (const [a, b] of pairs) {
    const { message } = await a.ok('message:send', { recipient_id: b.id, content: 'hello' });
    expect((await b.next('message:new')).message).toEqual(message);
    await b.ok('typing:start', { recipient_id: a.id });
    await a.next('typing');
  }
  const [a, b] = pairs[0]!;
  const { group } = await a.ok('group:create', { name: 'g', member_ids: [b.id] });
  await b.next('group:updated');
  await a.ok('message:send', { group_id: group._id, content: 'to all' });
  await b.next('message:new', ({ message }) => message.content === 'to all');
  const elsewhere = await connect(servers[1]!.url, a.account);
  await http(servers[0]!.url, 'POST', '/auth/logout', { token: a.account.access_token });
  await elsewhere.next('session:revoked');
});

it('an emitter in another process reaches every node', async () => {
  const account = await register(servers[0]!.url);
  const devices = await Promise.all(servers.map(({ url }) => connect(url, account)));
  const cluster = new Cluster(masters.map(({ url }) => url));
  onTestFinished(() => cluster.disconnect());
  new Emitter(cluster)
    .to(`user:${account.id}`)
    .emit('typing', { conversation_id: 'c', user_id: account.id, is_typing: true });
  for (const device of devices) await device.next('typing');
});

it('what a lost master would have carried comes within 5 s of its return', async () => {
  const [a, b] = await apart();
  await a.ok('message:send', { recipient_id: b.id, content: 'before' });
  await b.next('message:new');
  for (const master of masters) master.signal('SIGSTOP');
  for (let i = 0; i < 3; i++) await a.ok('message:send', { recipient_id: b.id, content: `during ${i}` });
  await expect.poll(readiness, { timeout: 30_000 }).toEqual(['degraded', 'degraded']);
  for (const master of masters) master.signal('SIGCONT');
  await b.next('message:new', ({ message }) => message.content === 'during 2', 5000);
  await expect.poll(readiness, { timeout: 30_000 }).toEqual(['ok', 'ok']);
  await a.ok('message:send', { recipient_id: b.id, content: 'after' });
  await b.next('message:new', ({ message }) => message.content === 'after');
  // The adapter's connections come back by themselves, perhaps a moment later.
  const typed = async () => {
    await b.ok('typing:start', { recipient_id: a.id });
    await b.ok('typing:stop', { recipient_id: a.id });
    await settle(a);
    return a.seen('typing').length;
  };
  await expect.poll(typed).toBeGreaterThan(0);
  const contents = b.seen('message:new').map(({ message }) => message.content);
  expect(contents).toEqual(['before', 'during 0', 'during 1', 'during 2', 'after']);
});
