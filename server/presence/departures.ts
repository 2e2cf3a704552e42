/**
 * Which devices have left lately, on any node. While the grace runs their user is shown as before, and what a session's
 * device was set to is taken over by the session's next one: so nobody sees a connection that breaks and comes back,
 * be it several times, or to another node.
 */
import type { Logger } from 'pino';
import type { RedisLink } from '../redis/link.ts';
import type { Status } from './devices.ts';

/** Implementations: memory (one node), Redis (several). */
export interface Departures {
  /** A device left with this status. */
  add(userId: string, sessionId: string, device: string, status: Status): Promise<void>;
  /** What the session's device was set to that left within the grace; undefined when none did. */
  statusOf(sessionId: string): Promise<Status | undefined>;
  /** Whether no other device of the user is known to have left after this one. */
  isLatest(userId: string, device: string): Promise<boolean>;
}

/** Users are remembered for longer than the grace, in milliseconds: it is when the grace ends that they are asked for. */
const MARGIN_MS = 2000;

const PREFIX = 'letsapp:presence:left:';

/** @param graceMs how long a user stays shown after the last device is gone, in milliseconds */
export function createMemoryDepartures(graceMs: number): Departures {
  const sessions = new Map<string, { status: Status }>();
  const users = new Map<string, { device: string }>();

  function keep<V>(map: Map<string, V>, key: string, value: V, ms: number): void {
    map.set(key, value);
    setTimeout(() => {
      if (map.get(key) === value) map.delete(key);
    }, ms).unref();
  }

  return {
    async add(userId, sessionId, device, status) {
      keep(sessions, sessionId, { status }, graceMs);
      keep(users, userId, { device }, graceMs + MARGIN_MS);
    },
    statusOf: async (sessionId) => sessions.get(sessionId)?.status,
    isLatest: async (userId, device) => (users.get(userId)?.device ?? device) === device,
  };
}

/** While Redis is away, only the devices that left this node are known. */
export function createRedisDepartures(link: RedisLink, graceMs: number, log: Logger): Departures {
  const own = createMemoryDepartures(graceMs);
  const redis = link.commands;

  /** The value, or what this node knows by itself. */
  async function read<T>(key: string, known: (value: string | null) => T, otherwise: () => Promise<T>): Promise<T> {
    if (!link.isUp()) return otherwise();
    try {
      return known(await redis.get(PREFIX + key));
    } catch (err) {
      log.debug({ err }, 'devices that left other nodes are not known');
      return otherwise();
    }
  }

  return {
    async add(userId, sessionId, device, status) {
      await own.add(userId, sessionId, device, status);
      if (!link.isUp()) return;
      await Promise.all([
        redis.set(PREFIX + sessionId, status, 'PX', Math.max(graceMs, 1)),
        redis.set(PREFIX + userId, device, 'PX', graceMs + MARGIN_MS),
      ]).catch((err: unknown) => log.debug({ err }, 'other nodes do not know of a device that left'));
    },
    statusOf: (sessionId) =>
      read(
        sessionId,
        (status) => (status ?? undefined) as Status | undefined,
        () => own.statusOf(sessionId),
      ),
    isLatest: (userId, device) =>
      read(
        userId,
        (latest) => (latest ?? device) === device,
        () => own.isLatest(userId, device),
      ),
  };
}
