/** The Socket.IO server with this contract's types, and how a connection is ended. */
import type { Server, Socket } from 'socket.io';
import type { ClientToServerEvents, ServerToClientEvents } from '../../shared/contract/index.ts';

export interface SocketData {
  userId: string;
  sessionId: string;
}

// biome-ignore lint/complexity/noBannedTypes: Socket.IO's own default for "no events between servers"
export type Io = Server<ClientToServerEvents, ServerToClientEvents, {}, SocketData>;
// biome-ignore lint/complexity/noBannedTypes: Socket.IO's own default for "no events between servers"
export type IoSocket = Socket<ClientToServerEvents, ServerToClientEvents, {}, SocketData>;

/** How long a connection may take to flush what was emitted before it was closed, in milliseconds. */
const CLOSING_MS = 100;

/** Tells a socket why, and closes it; what was sent before still arrives. */
export function end(socket: IoSocket, event: 'session:revoked' | 'session:expired'): void {
  socket.emit(event, {});
  socket.disconnect(false);
  setTimeout(() => socket.conn.close(), CLOSING_MS).unref();
}
