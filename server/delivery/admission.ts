/** How a new connection begins to take part, and how its last traces are removed. */
import { groupRoom, sessionRoom, userRoom } from '../bus/rooms.ts';
import type { Arrivals } from './arrivals.ts';
import type { Baselines } from './baseline.ts';
import type { Floors } from './floors.ts';
import type { HeldRooms } from './held-rooms.ts';
import type { IoSocket } from './io.ts';
import type { LocalRooms } from './local-rooms.ts';
import type { Memberships } from './memberships.ts';

/** A user's place in a group: nothing at or below `from_seq` is shown. */
export interface GroupPlace {
  group_id: string;
  from_seq: number;
}

export interface Admission {
  /**
   * Lets a new connection take part: it joins its rooms once its groups are loaded. What changes while they are being
   * loaded is not lost.
   * @returns whether the session is still good; false when it was ended meanwhile
   * @throws whatever `loadGroups` throws
   */
  admit(socket: IoSocket, loadGroups: () => Promise<GroupPlace[]>): Promise<boolean>;
  /** To be called while a socket is disconnecting: forgets what was kept for its user if it is the last one. */
  dismiss(socket: IoSocket): void;
}

export interface AdmissionOptions {
  rooms: LocalRooms;
  held: HeldRooms;
  floors: Floors;
  arrivals: Arrivals;
  memberships: Memberships;
  /** Notes where delivery begins for the user; undefined on a single node, which need not know. */
  noteBaselines: Baselines['note'] | undefined;
}

export function createAdmission(options: AdmissionOptions): Admission {
  const { rooms, held, floors, arrivals, memberships, noteBaselines } = options;
  const isCovered: Parameters<Baselines['note']>[2] = (conversation) => rooms.coveredSince(conversation) !== undefined;

  /** Joins all rooms at once, with the memberships as they are by then. */
  function enter(socket: IoSocket, loaded: GroupPlace[], changes: Map<string, number | null>): void {
    const { userId, sessionId } = socket.data;
    const places = new Map(loaded.map(({ group_id, from_seq }) => [group_id, from_seq]));
    for (const [groupId, fromSeq] of changes) {
      if (fromSeq === null) places.delete(groupId);
      else places.set(groupId, fromSeq);
    }
    for (const [groupId, fromSeq] of places) floors.set(groupId, userId, fromSeq);
    socket.join([userRoom(userId), sessionRoom(sessionId), ...[...places.keys()].map(groupRoom)]);
    for (const groupId of changes.keys()) {
      if (places.has(groupId)) memberships.join(socket, groupId);
      else held.release(socket, [groupRoom(groupId)]);
    }
  }

  return {
    async admit(socket, loadGroups) {
      const { userId, sessionId } = socket.data;
      const arrival = arrivals.begin(socket);
      try {
        // Before the groups are read: from here on, a membership that changes is noted.
        await held.hold(socket, [userRoom(userId), sessionRoom(sessionId)]);
        const places = await loadGroups();
        const groupIds = places.map(({ group_id }) => group_id);
        await held.hold(socket, groupIds.map(groupRoom));
        await noteBaselines?.(userId, groupIds, isCovered);
        if (arrival.revoked) return false;
        // The rooms of a connection that is gone would stay for ever.
        if (socket.connected) enter(socket, places, arrival.changes);
        return true;
      } finally {
        arrivals.end(socket);
        if (!socket.connected || !socket.rooms.has(userRoom(userId))) held.release(socket);
      }
    },
    dismiss(socket) {
      held.release(socket);
      const { userId } = socket.data;
      const devices = rooms.socketsIn(userRoom(userId));
      if (devices.length !== 1 || devices[0] !== socket) return;
      for (const groupId of rooms.groupsOf(socket)) floors.set(groupId, userId, 0);
    },
  };
}
