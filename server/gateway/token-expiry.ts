/** Ends connections whose access token has run out and was not renewed (PROTOCOL section 3). */
import { end, type IoSocket } from '../delivery/io.ts';

/** How long a connection outlives its access token, in milliseconds: the contract allows 60 s. */
const RENEWAL_GRACE_MS = 55_000;
/** The longest delay that a timer can hold. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export interface TokenExpiry {
  /** Sets, or replaces, the time at which a socket's access token expires. */
  set(socket: IoSocket, expiresAt: Date): void;
  /** Forgets a socket that has disconnected. */
  clear(socketId: string): void;
}

export function createTokenExpiry(clock: () => Date): TokenExpiry {
  const timers = new Map<string, NodeJS.Timeout>();

  function set(socket: IoSocket, expiresAt: Date): void {
    clearTimeout(timers.get(socket.id));
    const leftMs = Math.max(expiresAt.getTime() + RENEWAL_GRACE_MS - clock().getTime(), 0);
    const timer =
      leftMs > MAX_TIMER_MS
        ? setTimeout(() => set(socket, expiresAt), MAX_TIMER_MS)
        : setTimeout(() => end(socket, 'session:expired'), leftMs);
    timer.unref();
    timers.set(socket.id, timer);
  }

  return {
    set,
    clear(socketId) {
      clearTimeout(timers.get(socketId));
      timers.delete(socketId);
    },
  };
}
