import type { Logger } from 'pino';
import type { RedisLink } from '../bus/redis-link.ts';
import { createMemoryDepartures, type Departures } from './departures.ts';
import type { Status } from './status.ts';

const PREFIX = 'letsapp:presence:left:';

/**
 * The departures of several nodes: keys that expire with the grace period. While Redis is away, a node knows only the
 * devices that left itself.
 * @param graceMs how long a user stays shown after the last device has left, in milliseconds
 */
export function createRedisDepartures(link: RedisLink, graceMs: number, log: Logger): Departures {
  const own = createMemoryDepartures(graceMs);
  const redis = link.commands;

  /** What Redis says or, without Redis, what this node knows by itself. */
  async function ask<T>(redisSays: () => Promise<T>, nodeSays: () => Promise<T>): Promise<T> {
    if (!link.isUp()) return nodeSays();
    try {
      return await redisSays();
    } catch (err) {
      log.debug({ err }, 'devices that left other nodes are unknown');
      return nodeSays();
    }
  }

  return {
    async add(userId, sessionId, status) {
      await own.add(userId, sessionId, status);
      if (!link.isUp() || graceMs === 0) return;
      await Promise.all([
        redis.set(PREFIX + sessionId, status, 'PX', graceMs),
        redis.set(PREFIX + userId, '', 'PX', graceMs),
      ]).catch((err: unknown) => log.debug({ err }, 'other nodes were not told that a device left'));
    },
    statusOf: (sessionId) =>
      ask(
        async () => ((await redis.get(PREFIX + sessionId)) ?? undefined) as Status | undefined,
        () => own.statusOf(sessionId),
      ),
    graceLeft: (userId) =>
      ask(
        // Negative if there is no such key.
        async () => Math.max(await redis.pttl(PREFIX + userId), 0),
        () => own.graceLeft(userId),
      ),
  };
}
