import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRedisLink, type RedisLink } from '../../server/bus/redis-link.ts';
import { createMemoryDevices, type DeviceRegistry } from '../../server/presence/devices.ts';
import { createRedisDevices } from '../../server/presence/devices-redis.ts';
import { devicesKey, NODES } from '../../server/presence/redis-layout.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const log = pino({ level: 'silent' });
/** Long enough for a living node on a busy machine to be heard, in milliseconds. */
const SILENT_MS = 2000;
const someUser = () => randomBytes(12).toString('hex');
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

interface Node {
  devices: DeviceRegistry;
  link: RedisLink;
  vanished: (string[] | undefined)[];
  /** Falls silent, as when killed. */
  die(): Promise<void>;
}

async function startNode(): Promise<Node> {
  const link = createRedisLink({ urls: [redis.url], clock: () => new Date(), log });
  await link.untilUp(30_000);
  const devices = createRedisDevices({ link, log, beatMs: 100, silentMs: SILENT_MS });
  const vanished: (string[] | undefined)[] = [];
  devices.onVanished((userIds) => vanished.push(userIds));
  const die = async () => {
    await devices.close();
    await link.close();
  };
  onTestFinished(die);
  return { devices, link, vanished, die };
}

const registries: [string, () => Promise<DeviceRegistry>][] = [
  ['in memory', async () => createMemoryDevices()],
  ['in Redis', async () => (await startNode()).devices],
];

describe.each(registries)('devices %s', (_name, create) => {
  it('are known with their statuses for each user, in the order asked', async () => {
    const devices = await create();
    const [a, b, c] = [someUser(), someUser(), someUser()];
    await devices.put(a, 'd1', 'online');
    await devices.put(a, 'd2', 'away');
    await devices.put(c, 'd3', 'busy');
    const [ofA, ofB, ofC] = await devices.statuses([a, b, c]);
    expect(ofA?.sort()).toEqual(['away', 'online']);
    expect(ofB).toEqual([]);
    expect(ofC).toEqual(['busy']);
  });

  it('change their status, and are forgotten when removed', async () => {
    const devices = await create();
    const user = someUser();
    await devices.put(user, 'd1', 'online');
    await devices.put(user, 'd1', 'away');
    expect(await devices.statuses([user])).toEqual([['away']]);
    await devices.remove(user, 'd1');
    await devices.remove(user, 'd1');
    expect(await devices.statuses([user])).toEqual([[]]);
  });
});

describe('devices over nodes', () => {
  it('are known to every node', async () => {
    const [one, two] = await Promise.all([startNode(), startNode()]);
    const user = someUser();
    await one.devices.put(user, 'd1', 'online');
    await two.devices.put(user, 'd2', 'busy');
    for (const { devices } of [one, two])
      expect((await devices.statuses([user]))[0]?.sort()).toEqual(['busy', 'online']);
    await one.devices.remove(user, 'd1');
    expect(await two.devices.statuses([user])).toEqual([['busy']]);
  });

  it('tell which sessions are connected to any node that lives', async () => {
    const [one, two] = await Promise.all([startNode(), startNode()]);
    const [user, other] = [someUser(), someUser()];
    await one.devices.put(user, 'd1', 'online', 's1');
    await one.devices.put(user, 'd1', 'away');
    await two.devices.put(user, 'd2', 'online', 's2');
    await two.devices.put(other, 'd3', 'online', 's3');
    expect((await two.devices.sessions([user])).sort()).toEqual(['s1', 's2']);
    expect((await one.devices.sessions([user, other])).sort()).toEqual(['s1', 's2', 's3']);
    await one.die();
    await expect.poll(() => two.devices.sessions([user])).toEqual(['s2']);
  });

  it('vanish with their node, and one of the others reports their users', async () => {
    const [one, two, three] = await Promise.all([startNode(), startNode(), startNode()]);
    const [user, both] = [someUser(), someUser()];
    await one.devices.put(user, 'd1', 'online');
    await one.devices.put(both, 'd2', 'online');
    await two.devices.put(both, 'd3', 'away');
    await one.die();
    const told = () => [...two.vanished, ...three.vanished].filter((userIds) => userIds?.includes(user));
    await expect.poll(told).toHaveLength(1);
    expect(told()[0]?.sort()).toEqual([user, both].sort());
    expect(await two.devices.statuses([user, both])).toEqual([[], ['away']]);
  });

  it('vanish with a node that died before the clock of Redis was set back, and no later for that', async () => {
    const [one, two] = await Promise.all([startNode(), startNode()]);
    const user = someUser();
    await one.devices.put(user, 'd1', 'online');
    await one.die();
    // What the clock said then.
    await two.link.commands.zadd(NODES, Date.now() + 3_600_000, one.link.nodeId);
    await expect.poll(() => two.devices.statuses([user])).toEqual([[]]);
    await expect.poll(() => two.vanished).toContainEqual([user]);
  });

  it('come back with a node that was taken for dead', async () => {
    const [one, two] = await Promise.all([startNode(), startNode()]);
    const user = someUser();
    await one.devices.put(user, 'd1', 'online');
    // What another node does that takes it for dead. It notices by the last of this, so the devices go first; again
    // where the node's first beat registered them in between.
    const takeDevices = async () => {
      await one.link.commands.del(devicesKey(user));
      return two.devices.statuses([user]);
    };
    await expect.poll(takeDevices).toEqual([[]]);
    await one.link.commands.zrem(NODES, one.link.nodeId);
    await expect.poll(() => two.devices.statuses([user])).toEqual([['online']]);
    await expect.poll(() => one.vanished).toContainEqual([user]);
  });

  it('are registered again after Redis has forgotten everything, and everyone is looked at again', async () => {
    const [one, two] = await Promise.all([startNode(), startNode()]);
    const user = someUser();
    await one.devices.put(user, 'd1', 'online');
    await redis.kill();
    // Without Redis, each node knows its own devices.
    await expect.poll(() => one.link.isUp()).toBe(false);
    await one.devices.put(user, 'd2', 'away');
    expect((await one.devices.statuses([user]))[0]).toHaveLength(2);
    await redis.restart();
    await expect.poll(() => two.devices.statuses([user]).then(([s]) => s?.sort())).toEqual(['away', 'online']);
    await expect.poll(() => two.vanished).toContain(undefined);
  });
});
