/** Going down for a deploy (PROTOCOL section 3): tells the clients, finishes what is in flight, then closes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Io } from '../delivery/io.ts';
import { waitAtMost } from '../lib/deadline.ts';
import { unavailable } from '../lib/errors.ts';
import { type AnswerPacket, acknowledgementOf } from './packets.ts';

/** The time over which clients spread their reconnections, in milliseconds. */
const RECONNECT_SPREAD_MS = 10_000;
/** How long commands are still accepted, in milliseconds: clients sent them before they heard of the drain. */
const ACCEPTING_MS = 300;
/** The longest wait for what is in flight, in milliseconds; the store itself gives up earlier. */
const IN_FLIGHT_MS = 5000;
/** How long clients have to receive their last answers, in milliseconds; then they are cut off. */
const CLOSING_MS = 1000;
const POLL_MS = 10;

export interface Drain {
  isDraining(): boolean;
  /** Answers a packet, or refuses it as `unavailable` once commands are no longer accepted. */
  answer: AnswerPacket;
  /** Resolves once every acknowledgement is sent and every connection closed; takes less than seven seconds. */
  drain(): Promise<void>;
}

export function createDrain(io: Io, answer: AnswerPacket): Drain {
  const inFlight = new Set<Promise<void>>();
  let isDraining = false;
  let isRefusing = false;

  async function settled(): Promise<void> {
    while (inFlight.size > 0) await Promise.allSettled(inFlight);
  }

  return {
    isDraining: () => isDraining,
    async answer(caller, packet) {
      if (isRefusing) {
        acknowledgementOf(packet)?.({
          ok: false,
          error: unavailable('the server is going down: nothing was carried out; repeat it').toWire(),
        });
        return;
      }
      const run = answer(caller, packet);
      inFlight.add(run);
      await run.finally(() => inFlight.delete(run));
    },
    async drain() {
      isDraining = true;
      const { sockets } = io.of('/');
      for (const socket of sockets.values()) {
        socket.emit('server:draining', { reconnect_in_ms: Math.floor(Math.random() * RECONNECT_SPREAD_MS) });
      }
      if (sockets.size > 0) await sleep(ACCEPTING_MS);
      isRefusing = true;
      await waitAtMost(settled(), IN_FLIGHT_MS);
      await closeConnections(io);
      await io.close();
    },
  };
}

/** The WebSocket (of the package ws) under a connection. */
interface WebSocket {
  readyState: number;
  readonly CLOSED: number;
  terminate(): void;
}

/** Closes all connections in an orderly way, and cuts off those that have not ended after `CLOSING_MS`. */
async function closeConnections(io: Io): Promise<void> {
  const { sockets } = io.of('/');
  const connections = [...sockets.values()].map(({ conn }) => conn);
  // Long polling has none; its requests end by themselves.
  const webSockets = connections.flatMap(
    ({ transport }) => (transport as unknown as { socket?: WebSocket }).socket ?? [],
  );
  const isOpen = ({ readyState, CLOSED }: WebSocket) => readyState !== CLOSED;
  // The transport, not the socket: a client whose socket is disconnected by name does not come back by itself.
  for (const connection of connections) connection.close();
  const deadline = performance.now() + CLOSING_MS;
  while ((sockets.size > 0 || webSockets.some(isOpen)) && performance.now() < deadline) await sleep(POLL_MS);
  // Clients that do not read would otherwise hold up the HTTP server, which waits for its last connection.
  for (const webSocket of webSockets.filter(isOpen)) webSocket.terminate();
}
