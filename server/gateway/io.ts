/** The Socket.IO server. */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { Server, type ServerOptions } from 'socket.io';
import type { Config } from '../config.ts';
import type { Io } from '../delivery/io.ts';
import { hostOf, isAllowedOrigin, otherOrigins } from '../http/origin.ts';

/** Larger frames close the connection that sent them (PROTOCOL section 1). */
const MAX_FRAME_BYTES = 256 * 1024;
/** How long a connection may take to join the namespace, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Takes no connections before `attachGateway` attached its middleware.
 * @param adapter takes broadcasts to other nodes; undefined on a single node
 */
export function createIo(
  http: HttpServer,
  config: Pick<Config, 'corsOrigins' | 'publicUrl' | 'trustProxy'>,
  adapter: ServerOptions['adapter'] | undefined,
): Io {
  const io: Io = new Server(http, {
    serveClient: false,
    maxHttpBufferSize: MAX_FRAME_BYTES,
    connectTimeout: CONNECT_TIMEOUT_MS,
    cors: { origin: otherOrigins(config) },
    ...(adapter ? { adapter } : {}),
    allowRequest: ({ headers }, allow) => {
      const { origin } = headers;
      const allowed = origin === undefined || isAllowedOrigin(origin, hostOf(headers, config), config);
      allow(allowed ? null : 'origin not allowed', allowed);
    },
  });
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
        // The engine knows connections also before they are authenticated.
        const { clients } = io.engine as unknown as { clients: Record<string, { close(discard: boolean): void }> };
        if (sid !== null && Object.hasOwn(clients, sid)) clients[sid]!.close(true);
      });
    }
    next();
  });
}
