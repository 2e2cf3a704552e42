/**
 * Back-pressure: a client that does not read must not grow the server's memory. With more than 1 MiB waiting for it, it
 * is disconnected and comes back by `sync` (PROTOCOL section 10).
 */
import type { IoSocket } from '../delivery/io.ts';

/** How much may wait for one client, in bytes. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Watches what waits for a connection from now on. */
export function guardAgainstSlowClient({ conn }: IoSocket): void {
  // Bytes that the engine holds back until the transport can write again.
  let held = 0;
  conn.on('packetCreate', (packet) => {
    // Bytes that the transport has and the kernel has not taken; long polling has no such buffer.
    const { socket } = conn.transport as unknown as { socket?: { bufferedAmount?: number } };
    const waiting = held + (socket?.bufferedAmount ?? 0);
    held += packet.data?.length ?? 0;
    // close(true) discards what waits: a client that does not read would hold up an orderly close for ever.
    // The packet itself does not count: one answer may be larger, and a client that reads takes it.
    if (waiting > MAX_WAITING_BYTES) conn.close(true);
  });
  conn.on('flush', () => {
    held = 0;
  });
}
