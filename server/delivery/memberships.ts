/** Lets users into the rooms of their groups, and out of them. */
import { groupRoom, userRoom } from '../bus/rooms.ts';
import { groupRef } from '../model/conversation-ref.ts';
import type { Arrivals } from './arrivals.ts';
import type { CatchUp } from './catch-up.ts';
import type { Floors } from './floors.ts';
import type { HeldRooms } from './held-rooms.ts';
import type { IoSocket } from './io.ts';
import type { LocalRooms } from './local-rooms.ts';
import type { Sequencer } from './sequencer.ts';

/** Changes stored this long before somebody joined are told, too: this node may not have been subscribed. Milliseconds. */
const JOINING_MARGIN_MS = 2000;

export interface Memberships {
  /** A user joined a group (nothing up to `fromSeq` is visible) or left it (null). */
  change(userId: string, groupId: string, fromSeq: number | null): void;
  /** Calls back with each user who left a group, and the group. */
  onLeft(listener: (userId: string, groupId: string) => void): void;
  /** Lets a connection into a group's room; what was sent before this node was subscribed is fetched. */
  join(socket: IoSocket, groupId: string): void;
}

export interface MembershipsOptions {
  rooms: LocalRooms;
  held: HeldRooms;
  floors: Floors;
  arrivals: Arrivals;
  catchUp: CatchUp;
  sequencer: Pick<Sequencer, 'heal'>;
}

export function createMemberships(options: MembershipsOptions): Memberships {
  const { rooms, held, floors, arrivals, catchUp, sequencer } = options;
  const leftListeners: ((userId: string, groupId: string) => void)[] = [];

  function join(socket: IoSocket, groupId: string): void {
    const room = groupRoom(groupId);
    const subscribing = held.hold(socket, [room]);
    socket.join(room);
    void subscribing?.then(() => sequencer.heal(groupRef(groupId), undefined, JOINING_MARGIN_MS));
  }

  function leave(socket: IoSocket, groupId: string): void {
    const room = groupRoom(groupId);
    socket.leave(room);
    held.release(socket, [room]);
  }

  return {
    change(userId, groupId, fromSeq) {
      arrivals.noteMembership(userId, groupId, fromSeq);
      const devices = () => rooms.socketsIn(userRoom(userId));
      if (fromSeq === null) {
        catchUp.stop(userId, groupId);
        for (const socket of devices()) leave(socket, groupId);
        floors.set(groupId, userId, 0);
        for (const tell of leftListeners) tell(userId, groupId);
        return;
      }
      const present = devices();
      if (present.length === 0) return;
      floors.set(groupId, userId, fromSeq);
      if (present.every((socket) => socket.rooms.has(groupRoom(groupId)))) return;
      catchUp.start(userId, groupId, fromSeq, () => {
        for (const socket of devices()) join(socket, groupId);
      });
    },
    onLeft: (listener) => void leftListeners.push(listener),
    join,
  };
}
