/**
 * Works around a fault of the MongoDB driver (seen in 7.9.0). A destroyed socket reports its end only at the end of the
 * event loop turn. A command written to it in between waits for its `drain` event for ever: such a write causes no error,
 * and no time limit covers it. One command, the handshake of a monitor, or those of two pooled connections could hang
 * until the next start, and everything that waits for them too. Here the close of a socket emits `drain` as well; the
 * driver then finds the connection closed and fails the command.
 */
import { Connection } from 'mongodb/lib/cmap/connection.js';

const { onClose } = Connection.prototype;

Connection.prototype.onClose = function closeAndRelease(this: typeof Connection.prototype) {
  onClose.call(this);
  this.socket.emit('drain');
};
