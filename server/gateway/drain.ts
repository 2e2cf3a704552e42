/** Going down for a deploy (PROTOCOL section 3): tell the clients, finish what is in flight, then close. */
import { setTimeout as sleep } from 'node:timers/promises';
import { unavailable } from '../lib/errors.ts';
import { acknowledgementOf, type AnswerPacket } from './packets.ts';
import type { Io } from '../delivery/io.ts';

/** Over how long clients are spread when they reconnect, in milliseconds. */
const RECONNECT_SPREAD_MS = 10_000;
/** How long commands are still taken: those that clients sent before they were told. In milliseconds. */
const STILL_TAKEN_MS = 300;
/** Longest that what is in flight is waited for, in milliseconds; the store itself gives up earlier. */
const IN_FLIGHT_MS = 5000;
/** Longest that clients are given to take their last answers, in milliseconds. */
const CLOSING_MS = 1000;

export interface Drain {
  isDraining(): boolean;
  /** Carries out a packet, or refuses it as `unavailable` when nothing is taken any more. */
  answer: AnswerPacket;
  /** Resolves when every acknowledgement was sent and every connection closed; takes less than seven seconds. */
  drain(): Promise<void>;
}

export function createDrain(io: Io, answer: AnswerPacket): Drain {
  const inFlight = new Set<Promise<void>>();
  let draining = false;
  let refusing = false;

  async function settled(): Promise<void> {
    while (inFlight.size > 0) await Promise.allSettled(inFlight);
  }

  return {
    isDraining: () => draining,
    async answer(caller, packet) {
      if (refusing) {
        acknowledgementOf(packet)?.({ ok: false, error: unavailable().toWire() });
        return;
      }
      const run = answer(caller, packet);
      inFlight.add(run);
      await run.finally(() => inFlight.delete(run));
    },
    async drain() {
      draining = true;
      const sockets = io.of('/').sockets;
      for (const socket of sockets.values()) {
        socket.emit('server:draining', { reconnect_in_ms: Math.floor(Math.random() * RECONNECT_SPREAD_MS) });
      }
      if (sockets.size > 0) await sleep(STILL_TAKEN_MS);
      refusing = true;
      await Promise.race([settled(), sleep(IN_FLIGHT_MS, undefined, { ref: false })]);
      // The transport and not the socket: a client that the server disconnects by name does not come back by itself.
      for (const { conn } of sockets.values()) conn.close();
      for (const deadline = Date.now() + CLOSING_MS; sockets.size > 0 && Date.now() < deadline; ) await sleep(10);
      await io.close();
    },
  };
}
