/** Keeps a node subscribed to the rooms in which it has connections. */
import { waitAtMost } from '../lib/deadline.ts';
import type { RedisLink } from './redis-link.ts';

/** How long a connection waits for its subscriptions before it goes on without, in milliseconds. */
const PATIENCE_MS = 1000;

/** Rooms are counted: what is held twice must be released twice. */
export interface Subscriptions {
  /**
   * Adds one to the count of each room.
   * @returns resolves when what is sent to the rooms from now on reaches this node; undefined when it does already
   */
  hold(rooms: string[]): Promise<void> | undefined;
  /** Takes one from the count of each room. */
  release(rooms: string[]): void;
}

/** The subscriptions of a single node, which hears everything. */
export const NO_SUBSCRIPTIONS: Subscriptions = { hold: () => undefined, release: () => {} };

/**
 * Over Redis, one channel for each room.
 * @param onLate called when connections went on without their subscriptions: what was sent after the given moment, in
 *   milliseconds, may have passed them by
 */
export function createRedisSubscriptions(
  link: Pick<RedisLink, 'subscribe' | 'unsubscribe' | 'clock'>,
  onLate: (since: number) => void,
): Subscriptions {
  const counts = new Map<string, number>();
  const pending = new Map<string, Promise<void>>();

  function subscribe(rooms: string[]): void {
    const startedAt = link.clock().getTime();
    const subscribing = link
      .subscribe(rooms)
      // The connection is lost then. Once it is back, everything is subscribed and compared with the database.
      .catch(() => {})
      .finally(() => {
        for (const room of rooms) if (pending.get(room) === subscribing) pending.delete(room);
        if (link.clock().getTime() - startedAt > PATIENCE_MS) onLate(startedAt);
      });
    for (const room of rooms) pending.set(room, subscribing);
  }

  return {
    hold(rooms) {
      const added: string[] = [];
      for (const room of rooms) {
        const count = counts.get(room) ?? 0;
        counts.set(room, count + 1);
        if (count === 0) added.push(room);
      }
      if (added.length > 0) subscribe(added);
      const awaited = new Set(rooms.flatMap((room) => pending.get(room) ?? []));
      // Not for ever: when Redis does not answer, the connection is made all the same.
      return awaited.size === 0 ? undefined : waitAtMost(Promise.all(awaited), PATIENCE_MS);
    },
    release(rooms) {
      const gone: string[] = [];
      for (const room of rooms) {
        const count = counts.get(room) ?? 0;
        if (count > 1) counts.set(room, count - 1);
        else if (counts.delete(room)) gone.push(room);
      }
      link.unsubscribe(gone);
    },
  };
}
