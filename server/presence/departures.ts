/**
 * Devices that left lately, on any node. During the grace period their user is shown as before, and the session's next
 * device takes over the status of its last one. So nobody sees a connection that breaks and comes back, even several
 * times or on another node.
 */
import type { Status } from './status.ts';

/** Implementations: in memory (one node) and in Redis (several). */
export interface Departures {
  /** A device left with this status. */
  add(userId: string, sessionId: string, status: Status): Promise<void>;
  /** The status of the session's device that left within the grace period; undefined if none did. */
  statusOf(sessionId: string): Promise<Status | undefined>;
  /** What remains of the grace period of the user's device that left last, in milliseconds; 0 if it is over. */
  graceLeft(userId: string): Promise<number>;
}

/** @param graceMs how long a user stays shown after the last device has left, in milliseconds */
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
