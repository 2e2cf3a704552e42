/** Bare Socket.IO connections over WebSocket, for devices and for load. */
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

/** A connection of its own that does not come back by itself, unless the options say so. */
export function openSocket(
  url: string,
  auth: Record<string, unknown>,
  options: Partial<ManagerOptions & SocketOptions> = {},
): Socket {
  return io(url, { transports: ['websocket'], forceNew: true, reconnection: false, auth, ...options });
}

/** The same, once it was told an event. @throws the error of a refused handshake */
export function openReady(url: string, auth: Record<string, unknown>, ready = 'session:ready'): Promise<Socket> {
  const socket = openSocket(url, auth);
  return new Promise((resolve, reject) => {
    socket.once(ready, () => resolve(socket));
    socket.once('connect_error', reject);
  });
}
