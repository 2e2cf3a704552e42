/** The Socket.IO edge, put together: each socket passes the handshake, then a connection is opened for it. */

import type { Io, IoSocket } from '../delivery/io.ts';
import type { Points } from '../dispatch/points.ts';
import { refuseAfter } from '../dispatch/rate-limits.ts';
import { toWireError } from '../dispatch/wire-error.ts';
import { type ConnectionOptions, openConnection } from './connection.ts';
import { type Admission, type HandshakeOptions, shakeHands } from './handshake.ts';

/** What a connection costs its user, in points: it reads the session, the user and the groups. */
const CONNECTION_POINTS = 10;

export interface GatewayOptions extends HandshakeOptions, ConnectionOptions {
  io: Io;
  points: Pick<Points, 'take'>;
}

/** Attaches the handshake and the life of connections to the Socket.IO server. */
export function attachGateway({ io, ...options }: GatewayOptions): void {
  /** From the handshake until the connection opens. */
  const admissions = new WeakMap<IoSocket, Admission>();

  async function admit(socket: IoSocket): Promise<Admission> {
    const admission = await shakeHands(socket, options);
    const userId = admission.user._id.toHexString();
    const waitMs = await options.points.take(userId, CONNECTION_POINTS);
    if (waitMs > 0) {
      // Closed below Socket.IO, so that its clients come back by themselves, later and later: a refusal would end that.
      socket.conn.close(true);
      refuseAfter(waitMs, 'connecting');
    }
    Object.assign(socket.data, { userId, sessionId: admission.sessionId });
    return admission;
  }

  io.use((socket, next) => {
    admit(socket).then(
      (admission) => {
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
