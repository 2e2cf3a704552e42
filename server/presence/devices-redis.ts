/**
 * The devices of several nodes. A hash for each user holds the devices with their node and status; what tells whether
 * they live is their node's heartbeat, so that a beat costs the same however many devices a node has. Devices of a node
 * that fell silent do not count; another node cleans up after it. A node that was taken for dead (paused, cut off)
 * finds itself missing at its next beat and registers all its devices anew. Times are those of Redis alone.
 */
import type { Logger } from 'pino';
import type { RedisLink } from '../bus/redis-link.ts';
import { createMemoryDevices, type DeviceRegistry, type Status } from './devices.ts';

const BEAT_MS = 2000;
/** A node that was silent for so long is dead, in milliseconds: its users are offline within 30 s (PROTOCOL section 6). */
const SILENT_MS = 9000;
/**
 * How long a user counts to a node after the last device there is gone, in milliseconds: if the node ends before it has
 * settled what that means, another one does.
 */
const LEAVING_MS = 20_000;
/** How long a node has to clean up after another before a third one tries, in milliseconds. */
const CLAIM_MS = 10_000;

const PREFIX = 'letsapp:presence:';
const NODES = `${PREFIX}nodes`;
const devicesOf = (userId: string) => `${PREFIX}user:${userId}`;
const usersOn = (nodeId: string) => `${PREFIX}node:${nodeId}`;

const NOW = `local time = redis.call('TIME') local now = time[1] * 1000 + math.floor(time[2] / 1000)`;
/** @returns whether this node was known, and who is silent */
const BEAT = `${NOW}
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZADD', KEYS[1], now, ARGV[1])
return { known and 1 or 0, redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2]) }`;
const LIVING = `${NOW}
return redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')`;

export interface RedisDevicesOptions {
  link: RedisLink;
  log: Logger;
  /** Milliseconds; others for tests. */
  beatMs?: number;
  silentMs?: number;
}

/** Starts to beat. While Redis is away, only this node's own devices are known. */
export function createRedisDevices(options: RedisDevicesOptions): DeviceRegistry {
  const { link, log, beatMs = BEAT_MS, silentMs = SILENT_MS } = options;
  const { commands: redis, nodeId } = link;
  const own = createMemoryDevices();
  const ownUsers = new Map<string, Map<string, Status>>();
  let vanished: (userIds: string[] | undefined) => void = () => {};
  /** Users whose last device here is gone, with when that was. */
  const leaving = new Map<string, number>();
  /** Whether Redis may not have what this node told it. */
  let isStale = true;
  let hasBeaten = false;
  let beating = false;

  const entryOf = (status: Status) => `${nodeId} ${status}`;

  function parse(value: string): { node: string; status: Status } {
    const [node = '', status = 'offline'] = value.split(' ');
    return { node, status: status as Status };
  }

  /** What fails is made good by the next beat. */
  async function told(commands: Promise<unknown>[]): Promise<void> {
    const results = await Promise.allSettled(commands);
    if (results.some((result) => result.status === 'rejected')) isStale = true;
  }

  /** Makes Redis hold this node's devices, and no others under its name. */
  async function register(): Promise<void> {
    isStale = false;
    const before = await redis.smembers(usersOn(nodeId));
    const userIds = new Set([...before, ...ownUsers.keys()]);
    await Promise.all(
      [...userIds].map(async (userId) => {
        const stored = await redis.hgetall(devicesOf(userId));
        const devices = ownUsers.get(userId) ?? new Map<string, Status>();
        const gone = Object.keys(stored).filter((id) => parse(stored[id]!).node === nodeId && !devices.has(id));
        if (gone.length > 0) await redis.hdel(devicesOf(userId), ...gone);
        const fields = [...devices].flatMap(([device, status]) => [device, entryOf(status)]);
        if (fields.length > 0) await redis.hset(devicesOf(userId), ...fields);
        const isHere = fields.length > 0 || leaving.has(userId);
        await (isHere ? redis.sadd(usersOn(nodeId), userId) : redis.srem(usersOn(nodeId), userId));
      }),
    );
  }

  /** Takes away the devices of a dead node. What is left half done is done again by whoever comes next. */
  async function bury(dead: string): Promise<void> {
    const claimed = await redis.set(`${usersOn(dead)}:claim`, nodeId, 'PX', CLAIM_MS, 'NX');
    if (!claimed) return;
    const userIds = await redis.smembers(usersOn(dead));
    await Promise.all(
      userIds.map(async (userId) => {
        const stored = await redis.hgetall(devicesOf(userId));
        const gone = Object.keys(stored).filter((id) => parse(stored[id]!).node === dead);
        if (gone.length > 0) await redis.hdel(devicesOf(userId), ...gone);
      }),
    );
    await redis.del(usersOn(dead));
    await redis.zrem(NODES, dead);
    log.warn({ node: dead, users: userIds.length }, 'a node died; its devices are taken away');
    if (userIds.length > 0) vanished(userIds);
  }

  async function beat(): Promise<void> {
    const [known, silent] = (await redis.eval(BEAT, 1, NODES, nodeId, silentMs)) as [number, string[]];
    const isFirst = !hasBeaten;
    hasBeaten = true;
    if (!known || isStale) {
      await register();
      // Others may have taken this node's users for gone meanwhile.
      if (!isFirst && ownUsers.size > 0) vanished([...ownUsers.keys()]);
      // Redis has forgotten everything: nodes that died before are not known to it, nor are their users.
      if (!isFirst && !known) setTimeout(() => vanished(undefined), silentMs).unref();
    }
    const left = [...leaving].filter(([, at]) => Date.now() - at > LEAVING_MS).map(([userId]) => userId);
    if (left.length > 0) await redis.srem(usersOn(nodeId), ...left);
    for (const userId of left) leaving.delete(userId);
    for (const dead of silent) if (dead !== nodeId) await bury(dead);
  }

  const timer = setInterval(tick, beatMs);
  timer.unref();
  function tick(): void {
    if (beating || !link.isUp()) return;
    beating = true;
    beat()
      .catch((err: unknown) => {
        isStale = true;
        log.debug({ err }, 'no heartbeat');
      })
      .finally(() => {
        beating = false;
      });
  }
  void link.untilUp(beatMs).then(tick);

  return {
    isShared: true,
    async put(userId, device, status) {
      await own.put(userId, device, status);
      const devices = ownUsers.get(userId) ?? new Map<string, Status>();
      ownUsers.set(userId, devices.set(device, status));
      leaving.delete(userId);
      await told([redis.hset(devicesOf(userId), device, entryOf(status)), redis.sadd(usersOn(nodeId), userId)]);
    },
    async remove(userId, device) {
      await own.remove(userId, device);
      const devices = ownUsers.get(userId);
      devices?.delete(device);
      if (devices?.size === 0) {
        ownUsers.delete(userId);
        leaving.set(userId, Date.now());
      }
      await told([redis.hdel(devicesOf(userId), device)]);
    },
    async statuses(userIds) {
      if (!link.isUp()) return own.statuses(userIds);
      try {
        const [living, ...stored] = await Promise.all([
          redis.eval(LIVING, 1, NODES, silentMs) as Promise<string[]>,
          ...userIds.map((userId) => redis.hgetall(devicesOf(userId))),
        ]);
        // This node lives, whatever Redis knows.
        const nodes = new Set([...living, nodeId]);
        return stored.map((devices) =>
          Object.values(devices)
            .map(parse)
            .filter(({ node }) => nodes.has(node))
            .map(({ status }) => status),
        );
      } catch (err) {
        log.debug({ err }, 'devices of other nodes are not known');
        return own.statuses(userIds);
      }
    },
    onVanished(callback) {
      vanished = callback;
    },
    async close() {
      clearInterval(timer);
    },
  };
}
