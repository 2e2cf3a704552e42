/** The part of the driver's internals that is used here; they come without types. */
declare module 'mongodb/lib/cmap/connection.js' {
  import type { Socket } from 'node:net';

  export const Connection: {
    prototype: {
      socket: Socket;
      onClose(): void;
      /** Sends a command and resolves with the answer. @param command its first property is its name */
      command(namespace: unknown, command: object, ...others: unknown[]): Promise<unknown>;
    };
  };
}
