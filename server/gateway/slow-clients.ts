/**
 * A client that does not read what it is sent must not grow the server's memory: with more than 1 MiB waiting for it,
 * it is disconnected and comes back by `sync` (PROTOCOL section 10).
 */
import type { IoSocket } from '../delivery/io.ts';

/** How much may wait for one client, in bytes. */
export const MAX_WAITING_BYTES = 1024 * 1024;

/** Watches what waits for a connection from now on. */
export function guardAgainstSlowClient({ conn }: IoSocket): void {
  // What the engine holds back until the transport can write again.
  let held = 0;
  conn.on('packetCreate', (packet) => {
    // What the transport was given and the kernel has not taken; long polling has no such buffer.
    const { socket } = conn.transport as unknown as { socket?: { bufferedAmount?: number } };
    const waiting = held + (socket?.bufferedAmount ?? 0);
    held += packet.data?.length ?? 0;
    // close(true) discards what waits: a client that does not read would never let an orderly close finish.
    // The packet itself does not count: one answer may be larger, and a client that reads takes it.
    if (waiting > MAX_WAITING_BYTES) conn.close(true);
  });
  conn.on('flush', () => {
    held = 0;
  });
}
