/** The part of the driver's inside that is used here; it brings no types. */
declare module 'mongodb/lib/cmap/connection.js' {
  import type { Socket } from 'node:net';

  export const Connection: { prototype: { socket: Socket; onClose(): void } };
}
