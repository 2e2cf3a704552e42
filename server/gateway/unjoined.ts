/**
 * Connections that are not in the namespace: they have not shown yet who they are, or have left. They cost memory and
 * belong to nobody, so each address may have a few of them, and each for a while only.
 */
import type { IncomingMessage } from 'node:http';
import type { Config } from '../config.ts';
import type { Io, IoSocket } from '../delivery/io.ts';
import { addressOf, networkOf } from '../http/rate-limit.ts';

/** How long a connection may stay outside, in milliseconds: before it joins, and after it left. */
export const OUTSIDE_MS = 10_000;
/** How many connections of one network may be outside at once: many clients may come back at once behind one address. */
const MAX_OUTSIDE = 256;

type Connection = IoSocket['conn'];

export interface Unjoined {
  /** Whether one more connection may be opened from where a request comes. */
  hasRoomFor(request: IncomingMessage): boolean;
  /** Watches the connections of a server. */
  watch(io: Io): void;
}

interface Place {
  network: string;
  isOutside: boolean;
}

export function createUnjoined(config: Pick<Config, 'trustProxy' | 'rateLimits'>): Unjoined {
  const places = new WeakMap<Connection, Place>();
  const outside = new Map<string, number>();
  const networkFrom = (request: IncomingMessage) => networkOf({ ip: addressOf(request, config) });

  function move(place: Place, isOutside: boolean): void {
    if (place.isOutside === isOutside) return;
    place.isOutside = isOutside;
    const count = (outside.get(place.network) ?? 0) + (isOutside ? 1 : -1);
    if (count > 0) outside.set(place.network, count);
    else outside.delete(place.network);
  }

  function joined(socket: IoSocket): void {
    const { conn } = socket;
    const place = places.get(conn);
    if (!place) return;
    move(place, false);
    // A client may leave and join again on the same connection.
    socket.once('disconnect', () => {
      if (conn.readyState !== 'open') return;
      move(place, true);
      setTimeout(() => place.isOutside && conn.close(true), OUTSIDE_MS).unref();
    });
  }

  return {
    hasRoomFor: (request) => !config.rateLimits || (outside.get(networkFrom(request)) ?? 0) < MAX_OUTSIDE,
    watch(io) {
      io.engine.on('connection', (conn: Connection) => {
        const place = { network: networkFrom(conn.request), isOutside: false };
        places.set(conn, place);
        move(place, true);
        conn.once('close', () => move(place, false));
      });
      io.on('connection', joined);
    },
  };
}
