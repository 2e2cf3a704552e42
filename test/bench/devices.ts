/** Devices on one side, by socket.io-client. */
import type { Socket } from 'socket.io-client';
import { openReady } from '../support/sockets.ts';
import type { Side } from './sides.ts';

/** Connects a device of the user with this number. */
export const connectDevice = (side: Side, user: number): Promise<Socket> =>
  openReady(side.url, side.auth(user), side.ready);

/** Connects a device of each user from one number up to another, a few at a time. @returns them in the order of users */
export async function connectMany(side: Side, from: number, to: number, atOnce = 25): Promise<Socket[]> {
  const sockets: Socket[] = [];
  let next = from;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < to) {
        const user = next++;
        sockets[user - from] = await connectDevice(side, user);
      }
    }),
  );
  return sockets;
}

export function disconnect(sockets: Socket[]): void {
  for (const socket of sockets) socket.disconnect();
}
