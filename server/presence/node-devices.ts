/** The devices of a whole node in Redis: registering those of this node, and removing those of a dead one. */
import type { RedisLink } from '../bus/redis-link.ts';
import type { OwnDevices } from './own-devices.ts';
import { decodeDevice, devicesKey, encodeDevice, NODES, usersKey } from './redis-layout.ts';

/** How long a node has to clean up after another one before a third one tries, in milliseconds. */
const CLAIM_MS = 10_000;

/** Makes Redis hold this node's devices, and no others under its name. */
export async function registerNode({ commands: redis, nodeId }: RedisLink, own: OwnDevices): Promise<void> {
  const before = await redis.smembers(usersKey(nodeId));
  const userIds = new Set([...before, ...own.userIds()]);
  await Promise.all(
    [...userIds].map(async (userId) => {
      const stored = await redis.hgetall(devicesKey(userId));
      const devices = own.devicesOf(userId);
      const gone = devicesOn(nodeId, stored).filter((device) => !devices.has(device));
      if (gone.length > 0) await redis.hdel(devicesKey(userId), ...gone);
      const fields = [...devices].flatMap(([device, status]) => [
        device,
        encodeDevice({ nodeId, status, sessionId: own.sessionOf(device) }),
      ]);
      if (fields.length > 0) await redis.hset(devicesKey(userId), ...fields);
      const isHere = fields.length > 0 || own.isLeaving(userId);
      await (isHere ? redis.sadd(usersKey(nodeId), userId) : redis.srem(usersKey(nodeId), userId));
    }),
  );
}

/**
 * Removes the devices of a dead node. If this is interrupted, whichever node comes next does it again.
 * @returns the users who had devices there; undefined if another node is removing them
 */
export async function buryNode({ commands: redis, nodeId }: RedisLink, dead: string): Promise<string[] | undefined> {
  const claimed = await redis.set(`${usersKey(dead)}:claim`, nodeId, 'PX', CLAIM_MS, 'NX');
  if (!claimed) return undefined;
  const userIds = await redis.smembers(usersKey(dead));
  await Promise.all(
    userIds.map(async (userId) => {
      const gone = devicesOn(dead, await redis.hgetall(devicesKey(userId)));
      if (gone.length > 0) await redis.hdel(devicesKey(userId), ...gone);
    }),
  );
  await redis.del(usersKey(dead));
  await redis.zrem(NODES, dead);
  return userIds;
}

function devicesOn(nodeId: string, stored: Record<string, string>): string[] {
  return Object.keys(stored).filter((device) => decodeDevice(stored[device]!).nodeId === nodeId);
}
