/** The Socket.IO server. */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { Server, type ServerOptions } from 'socket.io';
import type { Config } from '../config.ts';
import type { Io } from '../delivery/io.ts';
import { hostOf, isAllowedOrigin, otherOrigins } from '../http/origin.ts';
import type { OriginRefusals } from '../http/origin-refusals.ts';
import { plainPackets } from './plain-packets.ts';
import { createUnjoined, OUTSIDE_MS } from './unjoined.ts';

/** Larger frames close the connection that sent them (PROTOCOL section 1). */
const MAX_FRAME_BYTES = 256 * 1024;

/**
 * Takes no connections before `attachGateway` attached its middleware.
 * @param originRefusals is told each refusal of a page
 * @param adapter takes broadcasts to other nodes; undefined on a single node
 */
export function createIo(
  http: HttpServer,
  config: Pick<Config, 'corsOrigins' | 'publicUrl' | 'trustProxy' | 'rateLimits'>,
  originRefusals: OriginRefusals,
  adapter: ServerOptions['adapter'] | undefined,
): Io {
  const unjoined = createUnjoined(config);
  const io: Io = new Server(http, {
    serveClient: false,
    maxHttpBufferSize: MAX_FRAME_BYTES,
    connectTimeout: OUTSIDE_MS,
    parser: plainPackets,
    cors: { origin: otherOrigins(config) },
    ...(adapter ? { adapter } : {}),
    allowRequest: (request, allow) => {
      const { headers } = request;
      const { origin } = headers;
      if (origin !== undefined && !isAllowedOrigin(origin, hostOf(headers, config), config)) {
        originRefusals.note(origin);
        allow('origin not allowed', false);
      } else if (unjoined.hasRoomFor(request)) {
        allow(null, true);
      } else {
        allow('too many connections that have not joined', false);
      }
    },
  });
  unjoined.watch(io);
  closeOnLargePolls(io);
  return io;
}

/** A WebSocket closes by itself when a frame is too large; long polling only refuses the request. */
function closeOnLargePolls(io: Io): void {
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (request.method === 'POST') {
      response.once('finish', () => {
        if (response.statusCode !== 413) return;
        const sid = new URL(request.url ?? '/', 'http://localhost').searchParams.get('sid');
        // The engine knows connections even before they are authenticated.
        const { clients } = io.engine as unknown as { clients: Record<string, { close(discard: boolean): void }> };
        if (sid !== null && Object.hasOwn(clients, sid)) clients[sid]!.close(true);
      });
    }
    next();
  });
}
