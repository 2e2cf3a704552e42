/** Connections whose groups are being loaded, with what happens to their users meanwhile. */
import type { IoSocket } from './io.ts';

export interface Arrival {
  /** Groups that the user joined (from where it is visible) or left (null). */
  changes: Map<string, number | null>;
  revoked: boolean;
}

export interface Arrivals {
  begin(socket: IoSocket): Arrival;
  end(socket: IoSocket): void;
  /** Notes that a user joined a group, above `fromSeq`, or left it (null). */
  noteMembership(userId: string, groupId: string, fromSeq: number | null): void;
  noteRevoked(sessionIds: string[]): void;
}

export function createArrivals(): Arrivals {
  const arriving = new Map<IoSocket, Arrival>();
  return {
    begin(socket) {
      const arrival: Arrival = { changes: new Map(), revoked: false };
      arriving.set(socket, arrival);
      return arrival;
    },
    end: (socket) => void arriving.delete(socket),
    noteMembership(userId, groupId, fromSeq) {
      for (const [{ data }, { changes }] of arriving) if (data.userId === userId) changes.set(groupId, fromSeq);
    },
    noteRevoked(sessionIds) {
      for (const [{ data }, arrival] of arriving) if (sessionIds.includes(data.sessionId)) arrival.revoked = true;
    },
  };
}
