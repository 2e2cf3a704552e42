import { sessionRoom } from '../bus/rooms.ts';
import type { Arrivals } from './arrivals.ts';
import { end } from './io.ts';
import type { LocalRooms } from './local-rooms.ts';

/** @returns a function that disconnects this node's sockets of given sessions, even those still being admitted */
export function createRevocation(rooms: LocalRooms, arrivals: Arrivals): (sessionIds: string[]) => void {
  return (sessionIds) => {
    arrivals.noteRevoked(sessionIds);
    for (const id of sessionIds) for (const socket of rooms.socketsIn(sessionRoom(id))) end(socket, 'session:revoked');
  };
}
