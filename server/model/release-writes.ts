/**
 * Works around a fault of the MongoDB driver (seen in 7.9.0). A destroyed socket reports its end only at the end of the
 * event loop turn. A command written to it in between waits for its `drain` event for ever: such a write causes no error,
 * and no time limit covers it. One command, the handshake of a monitor, or those of two pooled connections could hang
 * until the next start, and everything that waits for them too. Here the close of a socket emits `drain` as well; the
 * driver then finds the connection closed and fails the command.
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
