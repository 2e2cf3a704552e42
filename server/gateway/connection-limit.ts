/** How many connections a user may have at once (PROTOCOL section 10): beyond that the oldest is closed. */
import type { Logger } from 'pino';
import { userRoom } from '../bus/rooms.ts';
import type { Io } from '../delivery/io.ts';

const MAX_CONNECTIONS = 100;

export interface ConnectionLimitOptions {
  io: Io;
  /** How many connections a user has on all nodes together; undefined on a single node. */
  countOf: ((userId: string) => Promise<number>) | undefined;
  log: Logger;
}

/** To be called when a user has one more connection. */
export type LimitConnections = (userId: string) => void;

export function createConnectionLimit({ io, countOf, log }: ConnectionLimitOptions): LimitConnections {
  const { adapter, sockets } = io.of('/');
  /** Users whose connections are being counted, and whether one came since. */
  const counting = new Map<string, { again: boolean }>();

  function closeHere(userId: string): void {
    // The sockets of a room are in the order in which they came.
    const ids = [...(adapter.rooms.get(userRoom(userId)) ?? [])];
    for (const id of ids.slice(0, -MAX_CONNECTIONS)) sockets.get(id)?.disconnect(true);
  }

  async function closeEverywhere(userId: string, count: NonNullable<typeof countOf>): Promise<void> {
    if ((await count(userId)) <= MAX_CONNECTIONS) return;
    const all = await io.in(userRoom(userId)).fetchSockets();
    all.sort((one, other) => one.handshake.issued - other.handshake.issued);
    for (const socket of all.slice(0, -MAX_CONNECTIONS)) socket.disconnect(true);
  }

  async function countOut(userId: string, count: NonNullable<typeof countOf>): Promise<void> {
    const state = { again: true };
    counting.set(userId, state);
    try {
      while (state.again) {
        state.again = false;
        await closeEverywhere(userId, count);
      }
    } catch (err) {
      // A node that does not answer: the next connection counts anew, and each node keeps to the limit by itself.
      log.debug({ err }, 'the connections of a user could not be counted');
    } finally {
      counting.delete(userId);
    }
  }

  return (userId) => {
    closeHere(userId);
    if (!countOf) return;
    const state = counting.get(userId);
    if (state) state.again = true;
    else void countOut(userId, countOf);
  };
}
