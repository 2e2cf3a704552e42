import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createMemoryDevices, type DeviceRegistry } from '../../server/presence/devices.ts';
import { createRedisDevices } from '../../server/presence/devices-redis.ts';
import { createRedisLink, type RedisLink } from '../../server/bus/redis-link.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

const log = pino({ level: 'silent' });
const SILENT_MS = 600;
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
  /** As a kill: it says nothing more. */
  die(): Promise<void>;
}

async function startNode(): Promise<Node> {
  const link = createRedisLink({ urls: [redis.url], log });
  await link.untilUp(5000);
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

describe.each(registries)('the registry of devices %s', (_name, create) => {
  it('knows the statuses of all devices of each user, in the order asked', async () => {
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

  it('replaces a status and forgets a device', async () => {
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

describe('over nodes', () => {
  it('every node knows the devices of all', async () => {
    const [one, two] = await Promise.all([startNode(), startNode()]);
    const user = someUser();
    await one.devices.put(user, 'd1', 'online');
    await two.devices.put(user, 'd2', 'busy');
    for (const { devices } of [one, two])
      expect((await devices.statuses([user]))[0]?.sort()).toEqual(['busy', 'online']);
    await one.devices.remove(user, 'd1');
    expect(await two.devices.statuses([user])).toEqual([['busy']]);
  });

  it('the devices of a dead node vanish, and its users are told of once', async () => {
    const [one, two, three] = await Promise.all([startNode(), startNode(), startNode()]);
    const [user, both] = [someUser(), someUser()];
    await one.devices.put(user, 'd1', 'online');
    await one.devices.put(both, 'd2', 'online');
    await two.devices.put(both, 'd3', 'away');
    await one.die();
    const told = () => [...two.vanished, ...three.vanished].filter((userIds) => userIds?.includes(user));
    await expect.poll(told, { timeout: 5000 }).toHaveLength(1);
    expect(told()[0]?.sort()).toEqual([user, both].sort());
    expect(await two.devices.statuses([user, both])).toEqual([[], ['away']]);
  });

  it('a node that was taken for dead brings its devices back', async () => {
    const [one, two] = await Promise.all([startNode(), startNode()]);
    const user = someUser();
    await one.devices.put(user, 'd1', 'online');
    // What another node does that finds it silent.
    await one.link.commands.zrem('letsapp:presence:nodes', one.link.nodeId);
    await one.link.commands.del(`letsapp:presence:user:${user}`);
    expect(await two.devices.statuses([user])).toEqual([[]]);
    await expect.poll(() => two.devices.statuses([user]), { timeout: 5000 }).toEqual([['online']]);
    await expect.poll(() => one.vanished, { timeout: 5000 }).toContainEqual([user]);
  });

  it('after Redis has forgotten everything, all is as before, and everybody is looked at once more', async () => {
    const [one, two] = await Promise.all([startNode(), startNode()]);
    const user = someUser();
    await one.devices.put(user, 'd1', 'online');
    await redis.kill();
    // Without Redis, each node knows its own.
    await expect.poll(() => one.link.isUp(), { timeout: 5000 }).toBe(false);
    await one.devices.put(user, 'd2', 'away');
    expect((await one.devices.statuses([user]))[0]).toHaveLength(2);
    await redis.restart();
    await expect
      .poll(() => two.devices.statuses([user]).then(([s]) => s?.sort()), { timeout: 8000 })
      .toEqual(['away', 'online']);
    await expect.poll(() => two.vanished, { timeout: 5000 }).toContain(undefined);
  });
});
