/** Who is connected to this node, read from Socket.IO's own rooms. */
import { groupRoom, userRoom } from '../bus/rooms.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Io, IoSocket } from './io.ts';

const GROUP = groupRoom('');
const USER = userRoom('');

export interface LocalRooms {
  /** Whether anybody is in a room. */
  has(room: string): boolean;
  /** How many sockets are in a room. */
  size(room: string): number;
  /** The sockets in a room. */
  socketsIn(room: string): IoSocket[];
  /** The groups whose rooms a socket is in. */
  groupsOf(socket: IoSocket): string[];
  /** Since when, in milliseconds, somebody of a conversation has been connected here without a break. */
  coveredSince(conversation: ConversationRef): number | undefined;
  /** The users who are connected here, each with the groups whose messages they receive. */
  members(): Map<string, Set<string>>;
}

export function createLocalRooms(io: Io, clock: () => Date): LocalRooms {
  const { adapter, sockets } = io.of('/');
  /** Since when each room of a user or group has had somebody in it. */
  const since = new Map<string, number>();
  adapter.on('create-room', (room) => {
    if (room.startsWith(USER) || room.startsWith(GROUP)) since.set(room, clock().getTime());
  });
  adapter.on('delete-room', (room) => since.delete(room));

  return {
    has: (room) => adapter.rooms.has(room),
    size: (room) => adapter.rooms.get(room)?.size ?? 0,
    socketsIn: (room) => [...(adapter.rooms.get(room) ?? [])].flatMap((id) => sockets.get(id) ?? []),
    groupsOf: (socket) => [...socket.rooms].flatMap((room) => (room.startsWith(GROUP) ? room.slice(GROUP.length) : [])),
    coveredSince(conversation) {
      if (conversation.kind === 'group') return since.get(groupRoom(conversation.group_id));
      const [one, other] = conversation.user_ids.map((id) => since.get(userRoom(id)));
      return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
    },
    members() {
      const found = new Map<string, Set<string>>();
      for (const room of adapter.rooms.keys()) if (room.startsWith(USER)) found.set(room.slice(USER.length), new Set());
      for (const [room, ids] of adapter.rooms) {
        if (!room.startsWith(GROUP)) continue;
        for (const id of ids) {
          const userId = sockets.get(id)?.data.userId;
          if (userId) found.get(userId)?.add(room.slice(GROUP.length));
        }
      }
      return found;
    },
  };
}
