/** Puts events and changes onto sockets. */
import type { EventPayload } from '../../shared/contract/index.ts';
import type { Address, Change, EventOperation } from '../bus/operations.ts';
import { groupRoom, sessionRoom, userRoom } from '../bus/rooms.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Actors } from './actors.ts';
import type { Floors } from './floors.ts';
import type { Io } from './io.ts';
import type { LocalRooms } from './local-rooms.ts';
import { createMarks } from './marks.ts';
import type { CountOutgoing } from './outgoing.ts';
import { createStates } from './states.ts';

export interface Emitter {
  /** Emits an event to this node's sockets, unless they were told something newer. */
  event(operation: EventOperation): void;
  /** Emits an ephemeral event to the sockets of all nodes, this one's first. */
  relay(operation: EventOperation): void;
  /** Emits a change of a conversation to everyone connected here who may see it, except the socket that acted. */
  change(conversation: ConversationRef, change: Change): void;
  /** Emits a change to one user's devices on this node. */
  changeTo(userId: string, change: Change): void;
}

export interface EmitterOptions {
  io: Io;
  rooms: LocalRooms;
  floors: Floors;
  actors: Pick<Actors, 'find'>;
  countOutgoing: CountOutgoing;
}

export function createEmitter({ io, rooms, floors, actors, countOutgoing }: EmitterOptions): Emitter {
  const { sockets } = io.of('/');
  const newMarks = createMarks();
  const newState = createStates();

  function marks(viewers: string[], status: EventPayload<'message:status'>): void {
    for (const viewer of viewers) {
      const room = userRoom(viewer);
      const news = rooms.has(room) ? newMarks(viewer, status) : undefined;
      if (news) io.local.to(room).emit('message:status', news);
    }
  }

  /** Devices in a group's room whose users are no members any more, though this node was not told so yet. */
  function outsiders(groupId: string, { group }: EventPayload<'group:updated'>): string[] {
    const members = new Set(group.members);
    return rooms.socketsIn(groupRoom(groupId)).flatMap(({ id, data }) => (members.has(data.userId) ? [] : [id]));
  }

  return {
    event(operation) {
      const { to, event } = operation;
      const payload = newState(operation);
      if (!payload) return;
      countOutgoing(operation.except?.by, roomsOf(to), payload);
      if (event === 'message:status' && 'users' in to) {
        marks(to.users, payload as EventPayload<typeof event>);
        return;
      }
      const target = roomsOf(to);
      if (target.length === 0) return;
      const except = exceptionsOf(operation);
      if (event === 'group:updated' && 'group' in to) {
        except.push(...outsiders(to.group, payload as EventPayload<typeof event>));
      }
      const room = io.local.to(target);
      (except.length > 0 ? room.except(except) : room).emit(event, payload as never);
    },
    relay(operation) {
      const { to, event, payload } = operation;
      const target = roomsOf(to);
      if (target.length === 0) return;
      countOutgoing(operation.except?.by, target, payload);
      const isHere = 'socket' in to && sockets.has(to.socket);
      const room = isHere ? io.local.to(target) : io.to(target);
      room.except(exceptionsOf(operation)).emit(event, payload as never);
    },
    change(conversation, { rev, message, is_new, except_socket, by = is_new ? message.sender_id : undefined }) {
      const actor = except_socket ?? actors.find(message._id, rev);
      const except: string[] = actor ? [actor] : [];
      let target: string[];
      if (conversation.kind === 'direct') {
        target = conversation.user_ids.map(userRoom);
      } else {
        target = [groupRoom(conversation.group_id)];
        for (const userId of floors.hiddenFrom(conversation.group_id, message.seq)) except.push(userRoom(userId));
      }
      countOutgoing(by, target, message);
      const room = io.local.to(target);
      (except.length > 0 ? room.except(except) : room).emit(nameOf(is_new), { message });
    },
    changeTo(userId, { is_new, message }) {
      io.local.to(userRoom(userId)).emit(nameOf(is_new), { message });
    },
  };
}

const nameOf = (isNew: boolean) => (isNew ? 'message:new' : 'message:updated');

function roomsOf(to: Address): string[] {
  if ('users' in to) return to.users.map(userRoom);
  if ('group' in to) return [groupRoom(to.group)];
  if ('session' in to) return [sessionRoom(to.session)];
  return [to.socket];
}

/** The rooms that an event is kept from. */
function exceptionsOf({ except }: EventOperation): string[] {
  const left = (except?.users ?? []).map(userRoom);
  if (except?.socket) left.push(except.socket);
  return left;
}
