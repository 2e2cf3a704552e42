/** The Socket.IO edge, put together: each socket passes the handshake, then a connection is opened for it. */
import { toWireError } from '../dispatch/wire-error.ts';
import type { Io, IoSocket } from '../delivery/io.ts';
import { type ConnectionOptions, openConnection } from './connection.ts';
import { type Admission, type HandshakeOptions, shakeHands } from './handshake.ts';

export interface GatewayOptions extends HandshakeOptions, ConnectionOptions {
  io: Io;
}

/** Attaches the handshake and the life of connections to the Socket.IO server. */
export function attachGateway({ io, ...options }: GatewayOptions): void {
  /** From the handshake until the connection opens. */
  const admissions = new WeakMap<IoSocket, Admission>();

  io.use((socket, next) => {
    shakeHands(socket, options).then(
      (admission) => {
        Object.assign(socket.data, { userId: admission.user._id.toHexString(), sessionId: admission.sessionId });
        admissions.set(socket, admission);
        next();
      },
      (error: unknown) => {
        const wire = toWireError(error, 'handshake', options.log);
        next(Object.assign(new Error(wire.message), { data: wire }));
      },
    );
  });

  io.on('connection', (socket) => {
    const admission = admissions.get(socket)!;
    admissions.delete(socket);
    openConnection(socket, admission, options);
  });
}
