/** Applies operations to the sockets of this node: which part does what. */
import type { Operation } from '../bus/operations.ts';
import { userRoom } from '../bus/rooms.ts';
import type { NewestMessages } from '../conversations/newest-messages.ts';
import { type Tracing, tracing } from '../lib/tracing.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Admission } from './admission.ts';
import type { Emitter } from './emit.ts';
import type { LocalRooms } from './local-rooms.ts';
import type { Memberships } from './memberships.ts';
import type { Sequencer } from './sequencer.ts';

export interface Delivery extends Admission, Pick<LocalRooms, 'members'>, Pick<Memberships, 'onLeft'> {
  /** Applies an operation to this node's sockets. */
  apply(operation: Operation): void;
  /** Whether this node has heard of everything in a conversation since a moment, in milliseconds, unless it was cut off. */
  hasHeard(conversation: ConversationRef, since: number): boolean;
  /** Calls back when a user's view of a conversation changed and a device here, besides the one that acted, shows it. */
  onViewChanged(listener: ViewListener): void;
  /** Calls back with a user who has begun to use push. */
  onUsesPush(listener: (userId: string) => void): void;
}

/** @param exceptSocket the socket that acted */
export type ViewListener = (userId: string, conversationId: string, exceptSocket: string | undefined) => void;

export interface DeliveryParts {
  emitter: Emitter;
  sequencer: Sequencer;
  memberships: Memberships;
  revoke(sessionIds: string[]): void;
  admission: Admission;
  rooms: LocalRooms;
  /** Told of every change that comes to this node, and of conversations of which changes may not have come. */
  newest: Pick<NewestMessages, 'note' | 'forget'>;
  /** Forgets what was looked up of a topic, or everything. */
  onForget(topic: string | undefined): void;
}

export function createDelivery(parts: DeliveryParts): Delivery {
  const { emitter, sequencer, memberships, revoke, admission, rooms, newest, onForget } = parts;
  let tellView: ViewListener = () => {};
  let tellPush: (userId: string) => void = () => {};

  function apply(operation: Operation): void {
    switch (operation.kind) {
      case 'event':
        emitter.event(operation);
        break;
      case 'changes':
        newest.note(operation.conversation, operation.changes);
        sequencer.accept(operation.conversation, operation.changes);
        break;
      case 'heal':
        newest.forget(operation.conversation);
        sequencer.heal(operation.conversation);
        break;
      case 'membership':
        memberships.change(operation.user_id, operation.group_id, operation.from_seq);
        break;
      case 'revoked':
        revoke(operation.session_ids);
        break;
      case 'push_user':
        tellPush(operation.user_id);
        break;
      case 'forget':
        onForget(operation.topic);
        break;
      case 'view': {
        const { user_id, conversation_id, except_socket } = operation;
        const isShown = rooms.socketsIn(userRoom(user_id)).some(({ id }) => id !== except_socket);
        if (isShown) tellView(user_id, conversation_id, except_socket);
        break;
      }
    }
  }

  return {
    apply: tracing ? traced(apply, tracing) : apply,
    admit: admission.admit,
    dismiss: admission.dismiss,
    onViewChanged(listener) {
      tellView = listener;
    },
    onUsesPush(listener) {
      tellPush = listener;
    },
    hasHeard: (conversation, since) => (rooms.coveredSince(conversation) ?? Number.POSITIVE_INFINITY) <= since,
    members: rooms.members,
    onLeft: memberships.onLeft,
  };
}

function traced(apply: Delivery['apply'], traces: Tracing): Delivery['apply'] {
  return (operation) => {
    const event = operation.kind === 'event' ? operation.event : undefined;
    traces.delivery(operation.kind, event, () => apply(operation));
  };
}
