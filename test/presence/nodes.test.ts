import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { devicesKey } from '../../server/presence/redis-layout.ts';
import { CLOCKS_MS, connect, type Device, register } from '../support/client.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { type ServerProcess, startServerProcess } from '../support/server-process.ts';

/** Longer than a reconnection takes on a busy machine, in milliseconds. */
const GRACE_MS = 8000;
/** Longer than a grace period, in milliseconds. */
const PATIENCE_MS = 40_000;
/** A killed node's users go offline within 30 s (PROTOCOL section 6), in milliseconds. */
const OFFLINE_MS = 30_000;

let cluster: Cluster<ServerProcess>;
let one: string;
let two: string;
let redis: Redis;

beforeAll(async () => {
  cluster = await startCluster(2, { PRESENCE_GRACE_MS: String(GRACE_MS) }, startServerProcess);
  [one, two] = cluster.urls as [string, string];
  redis = new Redis(cluster.redis.port);
});

afterAll(async () => {
  redis.disconnect();
  await cluster.stop();
});

/** Two contacts, connected to one node each. */
async function contacts(): Promise<[Device, Device]> {
  const [A, B] = await Promise.all([register(one), register(two)]);
  const [a, b] = await Promise.all([connect(one, A), connect(two, B)]);
  await a.ok('contact:request', { user_id: b.id });
  await b.ok('contact:accept', { user_id: a.id });
  return [a, b];
}

/** Closes a device and waits until its node has noticed. */
async function leave(device: Device): Promise<void> {
  const socketId = device.socket.id!;
  device.close();
  await eventually(async () => expect(await redis.hexists(devicesKey(device.id), socketId)).toBe(0));
}

const is = (device: Device, status: string) => (event: { presence: { user_id: string; status: string } }) =>
  event.presence.user_id === device.id && event.presence.status === status;

// All at once: most of the time they wait for grace periods.
describe.concurrent('presence over nodes', () => {
  it('counts the devices on all nodes', async () => {
    const [a, b] = await contacts();
    await a.next('presence:changed', is(b, 'online'));
    const elsewhere = await connect(one, b.account);
    await elsewhere.ok('presence:set', { status: 'away' });
    b.close();
    await a.next('presence:changed', is(b, 'away'));
    a.clear();
    const back = await connect(two, b.account);
    await a.next('presence:changed', is(b, 'online'));
    a.clear();
    elsewhere.close();
    back.close();
    const { presence } = await a.next('presence:changed', is(b, 'offline'), PATIENCE_MS);
    expect(presence.status).toBe('offline');
    a.clear();
    await connect(one, b.account);
    await a.next('presence:changed', is(b, 'online'));
  });

  it('shows each change, whichever node it comes from', async () => {
    const [a, b] = await contacts();
    const elsewhere = await connect(one, b.account);
    const shown = async () => (await a.ok('presence:get', { user_ids: [b.id] })).presences[0]?.status;
    const after = [];
    for (const [device, status] of [
      [elsewhere, 'away'],
      [b, 'away'],
      [elsewhere, 'online'],
      [b, 'busy'],
      [elsewhere, 'offline'],
      [b, 'offline'],
      [elsewhere, 'busy'],
    ] as const) {
      await device.ok('presence:set', { status });
      after.push(await shown());
    }
    expect(after).toEqual(['online', 'away', 'online', 'busy', 'busy', 'offline', 'busy']);
  });

  it('does not show a connection that moves to another node, which keeps the status that was set', async () => {
    const [a, b] = await contacts();
    await b.ok('presence:set', { status: 'offline' });
    await a.next('presence:changed', is(b, 'offline'));
    a.clear();
    await leave(b);
    const moved = await connect(one, b.account);
    await leave(moved);
    const back = await connect(two, b.account);
    await back.ok('presence:set', { status: 'busy' });
    await a.next('presence:changed', is(b, 'busy'));
    expect(a.seen('presence:changed')).toHaveLength(1);
    a.clear();
    await leave(back);
    const last = await connect(one, b.account);
    const leftAt = Date.now();
    last.close();
    // The node that was left first must not take the user for gone: another one has seen the user since.
    const { presence } = await a.next('presence:changed', is(b, 'offline'), PATIENCE_MS);
    expect(Date.parse(presence.last_active) - leftAt).toBeGreaterThanOrEqual(GRACE_MS - CLOCKS_MS);
    expect(a.seen('presence:changed')).toHaveLength(1);
  });
});

describe('a node', () => {
  it('that was paused for longer than others wait shows its users again when it comes back', async () => {
    const [a, b] = await contacts();
    await a.next('presence:changed', is(b, 'online'));
    a.clear();
    cluster.nodes[1]!.signal('SIGSTOP');
    await a.next('presence:changed', is(b, 'offline'), OFFLINE_MS);
    a.clear();
    cluster.nodes[1]!.signal('SIGCONT');
    await a.next('presence:changed', is(b, 'online'), OFFLINE_MS);
  }, 60_000);

  it('that is killed leaves users whom another node takes offline', async () => {
    const [a, b] = await contacts();
    await a.next('presence:changed', is(b, 'online'));
    a.clear();
    await cluster.nodes[1]!.kill();
    await a.next('presence:changed', is(b, 'offline'), OFFLINE_MS);
  }, 60_000);
});
