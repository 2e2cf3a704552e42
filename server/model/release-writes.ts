/**
 * Works around a fault of the MongoDB driver (seen in 7.9.0). A command that is written to a socket which has been
 * destroyed, but has not told so yet (that is for the end of the turn of the event loop), waits for the socket's `drain`
 * for ever: no error is told of such a write, and no time limit applies. So one command, or the handshake of a monitor or
 * of two pooled connections, could hang until the next start, and with them all that waits for it. Here whoever waits is
 * woken when the socket closes; the driver then looks whether the connection is still good, and fails the command.
 */
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

interface DriverConnection {
  socket: Socket;
  onClose(): void;
}

const { Connection } = createRequire(import.meta.url)('mongodb/lib/cmap/connection.js') as {
  Connection: { prototype: DriverConnection };
};
const { onClose } = Connection.prototype;

Connection.prototype.onClose = function closeAndRelease(this: DriverConnection) {
  onClose.call(this);
  this.socket.emit('drain');
};
