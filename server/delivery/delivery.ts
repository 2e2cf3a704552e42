/** Applies operations to the sockets of this node. */
import type { EventPayload } from '../../shared/contract/index.ts';
import type { Actors } from './actors.ts';
import type { Baselines } from './baseline.ts';
import { createCatchUp } from './catch-up.ts';
import { createMarks } from './marks.ts';
import type { Address, Change, EventOperation, Operation } from '../bus/operations.ts';
import { groupRoom, sessionRoom, userRoom } from '../bus/rooms.ts';
import type { Sequencer } from './sequencer.ts';
import { end, type Io, type IoSocket } from './io.ts';
import { createStates } from './states.ts';
import type { Subscriptions } from '../bus/subscriptions.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

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
  /** Since when, in milliseconds, somebody of a conversation has been connected here without a break. */
  coveredSince(conversation: ConversationRef): number | undefined;
  /** The users who are connected here, each with the groups whose messages they are given. */
  members(): Map<string, Set<string>>;
}

const GROUP = groupRoom('');
const USER = userRoom('');

/** Who joins a group is told what was written since, also while this node was not yet subscribed, in milliseconds. */
const JOINING_MARGIN_MS = 2000;

export interface DeliveryOptions {
  io: Io;
  actors: Pick<Actors, 'find'>;
  /** Orders the changes of conversations. */
  sequencer(): Sequencer;
  /** Sees to it that what is sent to the rooms of this node's sockets arrives here. */
  subscriptions(): Subscriptions;
  /** Notes where delivery begins for a user who is about to be connected, where others write at the same time. */
  noteBaselines?: Baselines['note'] | undefined;
  /**
   * The messages of a conversation above a `seq` as they are stored, ascending by `rev`: what those who join a group
   * are told first. Without it they are not: where everybody sees the whole history, it is not known where to begin.
   */
  readAbove?: ((conversation: ConversationRef, seq: number) => Promise<Change[]>) | undefined;
  onError(error: unknown): void;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { io, actors, sequencer, subscriptions, noteBaselines, readAbove = async () => [], onError } = options;
  const { adapter, sockets } = io.of('/');
  /** Connections whose groups are being loaded, with what happened to their user meanwhile. */
  const arriving = new Map<IoSocket, { changes: Map<string, number | null>; revoked: boolean }>();
  /** For each group with local members: from where each of them sees it. Members who see everything are left out. */
  const floors = new Map<string, Map<string, number>>();
  /** The rooms that each connection holds. */
  const held = new Map<IoSocket, Set<string>>();
  /** Since when each room has had somebody in it. */
  const since = new Map<string, number>();
  const marksFor = createMarks();
  const current = createStates();
  adapter.on('create-room', (room) => {
    if (room.startsWith(USER) || room.startsWith(GROUP)) since.set(room, Date.now());
  });
  adapter.on('delete-room', (room) => since.delete(room));

  function hold(socket: IoSocket, rooms: string[]): Promise<void> | undefined {
    const own = held.get(socket) ?? new Set<string>();
    held.set(socket, own);
    const added = rooms.filter((room) => !own.has(room));
    for (const room of added) own.add(room);
    return subscriptions().hold(added);
  }

  function release(socket: IoSocket, rooms?: string[]): void {
    const own = held.get(socket);
    if (!own) return;
    subscriptions().release((rooms ?? [...own]).filter((room) => own.delete(room)));
    if (own.size === 0) held.delete(socket);
  }

  function socketsOf(room: string): IoSocket[] {
    return [...(adapter.rooms.get(room) ?? [])].flatMap((id) => sockets.get(id) ?? []);
  }

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

  function emitEvent(operation: EventOperation): void {
    const { to, event, except } = operation;
    const payload = current(operation);
    if (!payload) return;
    if (event === 'message:status' && 'users' in to) {
      emitMarks(to.users, payload as EventPayload<typeof event>);
      return;
    }
    const target = rooms(to);
    if (target.length === 0) return;
    const left: string[] = (except?.users ?? []).map(userRoom);
    if (except?.socket) left.push(except.socket);
    if (event === 'group:updated' && 'group' in to) {
      left.push(...outside(to.group, payload as EventPayload<typeof event>));
    }
    const room = io.local.to(target);
    (left.length > 0 ? room.except(left) : room).emit(event, payload as never);
  }

  /** Devices in a group's room whose users are not members any more, though this node was not told so yet. */
  function outside(groupId: string, { group }: EventPayload<'group:updated'>): string[] {
    const members = new Set(group.members);
    return socketsOf(groupRoom(groupId)).flatMap(({ id, data }) => (members.has(data.userId) ? [] : [id]));
  }

  function emitMarks(viewers: string[], status: EventPayload<'message:status'>): void {
    for (const viewer of viewers) {
      const room = userRoom(viewer);
      const news = adapter.rooms.has(room) ? marksFor(viewer, status) : undefined;
      if (news) io.local.to(room).emit('message:status', news);
    }
  }

  function emitChange(conversation: ConversationRef, change: Change): void {
    const actor = change.except_socket ?? actors.find(change.message._id, change.rev);
    const except: string[] = actor ? [actor] : [];
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

  const catchUp = createCatchUp({
    delivered: (conversation) => sequencer().delivered(conversation),
    readAbove,
    emit(userId, { is_new, message }) {
      io.local.to(userRoom(userId)).emit(is_new ? 'message:new' : 'message:updated', { message });
    },
    onError,
  });

  function changeMembership(userId: string, groupId: string, fromSeq: number | null): void {
    for (const [socket, { changes }] of arriving) {
      if (socket.data.userId === userId) changes.set(groupId, fromSeq);
    }
    const room = groupRoom(groupId);
    const devices = socketsOf(userRoom(userId));
    if (fromSeq === null) {
      catchUp.stop(userId, groupId);
      for (const socket of devices) {
        socket.leave(room);
        release(socket, [room]);
      }
      setFloor(groupId, userId, 0);
    } else if (devices.length > 0) {
      setFloor(groupId, userId, fromSeq);
      if (devices.every((socket) => socket.rooms.has(room))) return;
      catchUp.start(userId, groupId, fromSeq, () => {
        for (const socket of socketsOf(userRoom(userId))) join(socket, groupId);
      });
    }
  }

  /** Lets a connection into a group's room; what was sent before this node was subscribed to it is fetched. */
  function join(socket: IoSocket, groupId: string): void {
    const subscribing = hold(socket, [groupRoom(groupId)]);
    socket.join(groupRoom(groupId));
    void subscribing?.then(() => {
      sequencer().heal({ id: groupId, kind: 'group', group_id: groupId }, undefined, JOINING_MARGIN_MS);
    });
  }

  function coveredSince(conversation: ConversationRef): number | undefined {
    if (conversation.kind === 'group') return since.get(groupRoom(conversation.group_id));
    const [one, other] = conversation.user_ids.map((id) => since.get(userRoom(id)));
    return one === undefined || other === undefined ? (one ?? other) : Math.min(one, other);
  }

  function revoke(sessionIds: string[]): void {
    for (const [socket, state] of arriving) if (sessionIds.includes(socket.data.sessionId)) state.revoked = true;
    for (const id of sessionIds) for (const socket of socketsOf(sessionRoom(id))) end(socket, 'session:revoked');
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
      const { userId, sessionId } = socket.data;
      const own = [userRoom(userId), sessionRoom(sessionId)];
      arriving.set(socket, state);
      try {
        // In this order: a membership that changes after the groups were read is heard of.
        await hold(socket, [...own, socket.id]);
        const places = new Map((await loadGroups()).map((place) => [place.group_id, place.from_seq]));
        await hold(socket, [...places.keys()].map(groupRoom));
        await noteBaselines?.(userId, [...places.keys()], (conversation) => coveredSince(conversation) !== undefined);
        if (state.revoked) return false;
        // Rooms of a connection that is gone would stay for ever.
        if (!socket.connected) return true;
        for (const [groupId, fromSeq] of state.changes) {
          if (fromSeq === null) places.delete(groupId);
          else places.set(groupId, fromSeq);
        }
        for (const [groupId, fromSeq] of places) setFloor(groupId, userId, fromSeq);
        socket.join([...own, ...[...places.keys()].map(groupRoom)]);
        for (const groupId of state.changes.keys()) {
          if (places.has(groupId)) join(socket, groupId);
          else release(socket, [groupRoom(groupId)]);
        }
        return true;
      } finally {
        arriving.delete(socket);
        if (!socket.connected || !socket.rooms.has(own[0]!)) release(socket);
      }
    },
    dismiss(socket) {
      release(socket);
      const { userId } = socket.data;
      const devices = adapter.rooms.get(userRoom(userId));
      if (!devices || devices.size > 1 || !devices.has(socket.id)) return;
      for (const room of socket.rooms) if (room.startsWith(GROUP)) setFloor(room.slice(GROUP.length), userId, 0);
    },
    coveredSince,
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
