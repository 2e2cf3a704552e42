/** The devices of several nodes, in Redis as redis-layout.ts describes. */
import type { Logger } from 'pino';
import type { RedisLink } from '../bus/redis-link.ts';
import type { DeviceRegistry } from './devices.ts';
import { startHeartbeat } from './heartbeat.ts';
import { createOwnDevices } from './own-devices.ts';
import { decodeDevice, devicesKey, encodeDevice, LIVING, NODES, type StoredDevice, usersKey } from './redis-layout.ts';

const BEAT_MS = 2000;
/** After this long a silence a node is dead, in milliseconds: its users go offline within 30 s (PROTOCOL section 6). */
const SILENT_MS = 9000;

export interface RedisDevicesOptions {
  link: RedisLink;
  log: Logger;
  /** Milliseconds; tests set others. */
  beatMs?: number;
  silentMs?: number;
}

/** Starts this node's heartbeat. While Redis is away, only this node's own devices are known. */
export function createRedisDevices(options: RedisDevicesOptions): DeviceRegistry {
  const { link, log, beatMs = BEAT_MS, silentMs = SILENT_MS } = options;
  const { commands: redis, nodeId } = link;
  const own = createOwnDevices();
  let vanished: (userIds: string[] | undefined) => void = () => {};
  const heartbeat = startHeartbeat({ link, own, beatMs, silentMs, onVanished: (userIds) => vanished(userIds), log });

  /** Waits for commands; the next heartbeat makes up for what fails. */
  async function told(commands: Promise<unknown>[]): Promise<void> {
    const results = await Promise.allSettled(commands);
    if (results.some((result) => result.status === 'rejected')) heartbeat.markStale();
  }

  /** The devices of each user on live nodes; undefined while Redis is away. */
  async function live(userIds: string[]): Promise<StoredDevice[][] | undefined> {
    if (!link.isUp()) return undefined;
    try {
      const [living, ...stored] = await Promise.all([
        redis.eval(LIVING, 1, NODES, silentMs) as Promise<string[]>,
        ...userIds.map((userId) => redis.hgetall(devicesKey(userId))),
      ]);
      // This node is alive, whatever Redis knows.
      const nodes = new Set([...living, nodeId]);
      return stored.map((devices) =>
        Object.values(devices)
          .map(decodeDevice)
          .filter((device) => nodes.has(device.nodeId)),
      );
    } catch (err) {
      log.debug({ err }, 'devices of other nodes are unknown');
      return undefined;
    }
  }

  return {
    isShared: true,
    async put(userId, device, status, sessionId) {
      own.put(userId, device, status, sessionId);
      await told([
        redis.hset(devicesKey(userId), device, encodeDevice({ nodeId, status, sessionId: own.sessionOf(device) })),
        redis.sadd(usersKey(nodeId), userId),
      ]);
    },
    async remove(userId, device) {
      own.remove(userId, device);
      await told([redis.hdel(devicesKey(userId), device)]);
    },
    async statuses(userIds) {
      const found = await live(userIds);
      return found?.map((devices) => devices.map(({ status }) => status)) ?? userIds.map(own.statusesOf);
    },
    async sessions(userIds) {
      if (userIds.length === 0) return [];
      return (await live(userIds))?.flatMap((devices) => devices.map(({ sessionId }) => sessionId)) ?? [];
    },
    onVanished(callback) {
      vanished = callback;
    },
    async close() {
      heartbeat.stop();
    },
  };
}
