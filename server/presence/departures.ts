/**
 * Which devices have left lately, on any node. While the grace runs their user is shown as before, and what a session's
 * device was set to is taken over by the session's next one: so nobody sees a connection that breaks and comes back,
 * be it several times, or to another node.
 */
import type { Logger } from 'pino';
import type { RedisLink } from '../bus/redis-link.ts';
import type { Status } from './devices.ts';

/** Implementations: memory (one node), Redis (several). */
export interface Departures {
  /** A device left with this status. */
  add(userId: string, sessionId: string, status: Status): Promise<void>;
  /** What the session's device was set to that left within the grace; undefined when none did. */
  statusOf(sessionId: string): Promise<Status | undefined>;
  /** How much is left of the grace of the user's device that left last, in milliseconds; 0 when it is over. */
  graceLeft(userId: string): Promise<number>;
}

const PREFIX = 'letsapp:presence:left:';

/** @param graceMs how long a user stays shown after the last device is gone, in milliseconds */
export function createMemoryDepartures(graceMs: number): Departures {
  const sessions = new Map<string, { status: Status }>();
  const users = new Map<string, { endsAt: number }>();

  function keep<V>(map: Map<string, V>, key: string, value: V): void {
    map.set(key, value);
    setTimeout(() => {
      if (map.get(key) === value) map.delete(key);
    }, graceMs).unref();
  }

  return {
    async add(userId, sessionId, status) {
      keep(sessions, sessionId, { status });
      keep(users, userId, { endsAt: performance.now() + graceMs });
    },
    statusOf: async (sessionId) => sessions.get(sessionId)?.status,
    graceLeft: async (userId) => Math.max((users.get(userId)?.endsAt ?? 0) - performance.now(), 0),
  };
}

/** While Redis is away, only the devices that left this node are known. */
export function createRedisDepartures(link: RedisLink, graceMs: number, log: Logger): Departures {
  const own = createMemoryDepartures(graceMs);
  const redis = link.commands;

  /** What Redis says, or what this node knows by itself. */
  async function ask<T>(question: () => Promise<T>, otherwise: () => Promise<T>): Promise<T> {
    if (!link.isUp()) return otherwise();
    try {
      return await question();
    } catch (err) {
      log.debug({ err }, 'devices that left other nodes are not known');
      return otherwise();
    }
  }

  return {
    async add(userId, sessionId, status) {
      await own.add(userId, sessionId, status);
      if (!link.isUp() || graceMs === 0) return;
      await Promise.all([
        redis.set(PREFIX + sessionId, status, 'PX', graceMs),
        redis.set(PREFIX + userId, '', 'PX', graceMs),
      ]).catch((err: unknown) => log.debug({ err }, 'other nodes do not know of a device that left'));
    },
    statusOf: (sessionId) =>
      ask(
        async () => ((await redis.get(PREFIX + sessionId)) ?? undefined) as Status | undefined,
        () => own.statusOf(sessionId),
      ),
    graceLeft: (userId) =>
      ask(
        // Negative where there is no such key.
        async () => Math.max(await redis.pttl(PREFIX + userId), 0),
        () => own.graceLeft(userId),
      ),
  };
}
