/** Applies operations to the sockets of this node. */
import type { Server, Socket } from 'socket.io';
import type { ClientToServerEvents, ServerToClientEvents } from '../../shared/contract/index.ts';
import type { Address, Change, ConversationRef, EventOperation, Operation } from './operations.ts';
import type { Sequencer } from './sequencer.ts';

export interface SocketData {
  userId: string;
  sessionId: string;
}

// biome-ignore lint/complexity/noBannedTypes: Socket.IO's own default for "no events between servers"
export type Io = Server<ClientToServerEvents, ServerToClientEvents, {}, SocketData>;
// biome-ignore lint/complexity/noBannedTypes: Socket.IO's own default for "no events between servers"
export type IoSocket = Socket<ClientToServerEvents, ServerToClientEvents, {}, SocketData>;

/** A user's place in a group: nothing at or below `from_seq` is shown. */
export interface GroupPlace {
  group_id: string;
  from_seq: number;
}

export interface Delivery {
  /** Applies an operation to this node's sockets. */
  apply(operation: Operation): void;
  /** Puts one change of a conversation onto this node's sockets: what the sequencer calls. */
  emitChange(conversation: ConversationRef, change: Change): void;
  /**
   * Lets a new connection take part: it joins its rooms once its groups are loaded; what changes while they are being
   * loaded is not lost.
   * @returns whether the session is still good (false: it was ended meanwhile)
   */
  admit(socket: IoSocket, loadGroups: () => Promise<GroupPlace[]>): Promise<boolean>;
  /** Called while a socket is disconnecting: forgets what was kept for its user if it is the last one. */
  dismiss(socket: IoSocket): void;
}

export const userRoom = (id: string) => `user:${id}`;
export const sessionRoom = (id: string) => `session:${id}`;
const GROUP = 'group:';
export const groupRoom = (id: string) => `${GROUP}${id}`;

/** Longest that a connection waits for what was emitted before it was closed, in milliseconds. */
const CLOSING_MS = 100;

/**
 * @param io the Socket.IO server
 * @param sequencer orders the changes of conversations
 */
export function createDelivery(io: Io, sequencer: () => Sequencer): Delivery {
  /** Connections whose groups are being loaded, with what happened to their user meanwhile. */
  const arriving = new Map<IoSocket, { changes: Map<string, number | null>; revoked: boolean }>();
  /** For each group with local members: from where each of them sees it. Members who see everything are left out. */
  const floors = new Map<string, Map<string, number>>();

  function setFloor(groupId: string, userId: string, fromSeq: number): void {
    const group = floors.get(groupId) ?? new Map<string, number>();
    if (fromSeq === 0) group.delete(userId);
    else group.set(userId, fromSeq);
    if (group.size === 0) floors.delete(groupId);
    else floors.set(groupId, group);
  }

  function rooms(to: Address): string[] {
    if ('users' in to) return to.users.map(userRoom);
    if ('group' in to) return [groupRoom(to.group)];
    if ('session' in to) return [sessionRoom(to.session)];
    return [to.socket];
  }

  function emitEvent({ to, event, payload, except }: EventOperation): void {
    const target = rooms(to);
    if (target.length === 0) return;
    const left: string[] = (except?.users ?? []).map(userRoom);
    if (except?.socket) left.push(except.socket);
    const room = io.local.to(target);
    (left.length > 0 ? room.except(left) : room).emit(event, payload as never);
  }

  function emitChange(conversation: ConversationRef, change: Change): void {
    const except: string[] = change.except_socket ? [change.except_socket] : [];
    let target: string[];
    if (conversation.kind === 'direct') {
      target = conversation.user_ids.map(userRoom);
    } else {
      target = [groupRoom(conversation.group_id)];
      for (const [userId, fromSeq] of floors.get(conversation.group_id) ?? []) {
        if (change.message.seq <= fromSeq) except.push(userRoom(userId));
      }
    }
    const room = io.local.to(target);
    const message = { message: change.message };
    (except.length > 0 ? room.except(except) : room).emit(change.is_new ? 'message:new' : 'message:updated', message);
  }

  function changeMembership(userId: string, groupId: string, fromSeq: number | null): void {
    for (const [socket, { changes }] of arriving) {
      if (socket.data.userId === userId) changes.set(groupId, fromSeq);
    }
    if (fromSeq === null) {
      io.local.in(userRoom(userId)).socketsLeave(groupRoom(groupId));
      setFloor(groupId, userId, 0);
    } else if (io.of('/').adapter.rooms.has(userRoom(userId))) {
      setFloor(groupId, userId, fromSeq);
      io.local.in(userRoom(userId)).socketsJoin(groupRoom(groupId));
    }
  }

  function revoke(sessionIds: string[]): void {
    for (const [socket, state] of arriving) if (sessionIds.includes(socket.data.sessionId)) state.revoked = true;
    const adapter = io.of('/').adapter;
    for (const id of sessionIds) {
      for (const socketId of adapter.rooms.get(sessionRoom(id)) ?? []) {
        const socket = io.of('/').sockets.get(socketId);
        if (socket) end(socket, 'session:revoked');
      }
    }
  }

  return {
    apply(operation) {
      switch (operation.kind) {
        case 'event':
          emitEvent(operation);
          break;
        case 'changes':
          sequencer().accept(operation.conversation, operation.changes);
          break;
        case 'heal':
          sequencer().heal(operation.conversation);
          break;
        case 'membership':
          changeMembership(operation.user_id, operation.group_id, operation.from_seq);
          break;
        case 'revoked':
          revoke(operation.session_ids);
          break;
      }
    },
    emitChange,
    async admit(socket, loadGroups) {
      const state = { changes: new Map<string, number | null>(), revoked: false };
      arriving.set(socket, state);
      try {
        const places = new Map((await loadGroups()).map((place) => [place.group_id, place.from_seq]));
        if (state.revoked) return false;
        for (const [groupId, fromSeq] of state.changes) {
          if (fromSeq === null) places.delete(groupId);
          else places.set(groupId, fromSeq);
        }
        const { userId, sessionId } = socket.data;
        for (const [groupId, fromSeq] of places) setFloor(groupId, userId, fromSeq);
        socket.join([userRoom(userId), sessionRoom(sessionId), ...[...places.keys()].map(groupRoom)]);
        return true;
      } finally {
        arriving.delete(socket);
      }
    },
    dismiss(socket) {
      const { userId } = socket.data;
      const devices = io.of('/').adapter.rooms.get(userRoom(userId));
      if (!devices || devices.size > 1 || !devices.has(socket.id)) return;
      for (const room of socket.rooms) if (room.startsWith(GROUP)) setFloor(room.slice(GROUP.length), userId, 0);
    },
  };
}

/** Tells a socket why, and closes it; what was sent before still arrives. */
export function end(socket: IoSocket, event: 'session:revoked' | 'session:expired'): void {
  socket.emit(event, {});
  socket.disconnect(false);
  setTimeout(() => socket.conn.close(), CLOSING_MS).unref();
}
