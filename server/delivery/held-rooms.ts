/** The rooms that each connection holds a subscription to. */
import type { Subscriptions } from '../bus/subscriptions.ts';
import type { IoSocket } from './io.ts';

export interface HeldRooms {
  /**
   * Holds rooms for a connection, each once.
   * @returns as `Subscriptions.hold`
   */
  hold(socket: IoSocket, rooms: string[]): Promise<void> | undefined;
  /** Gives rooms up that the connection holds; all of them by default. */
  release(socket: IoSocket, rooms?: string[]): void;
}

export function createHeldRooms(subscriptions: Subscriptions): HeldRooms {
  const held = new Map<IoSocket, Set<string>>();
  return {
    hold(socket, rooms) {
      const own = held.get(socket) ?? new Set<string>();
      held.set(socket, own);
      const added = rooms.filter((room) => !own.has(room));
      for (const room of added) own.add(room);
      return subscriptions.hold(added);
    },
    release(socket, rooms) {
      const own = held.get(socket);
      if (!own) return;
      subscriptions.release((rooms ?? [...own]).filter((room) => own.delete(room)));
      if (own.size === 0) held.delete(socket);
    },
  };
}
