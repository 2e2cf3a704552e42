/**
 * The one narrow interface through which anything reaches sockets. Domains speak to the `Bus`; a `Broker` carries the
 * operations to the nodes that have a recipient (in memory: to this one); each node's delivery applies them.
 */
import type { EventName, EventPayload } from '../../shared/contract/index.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { State } from '../model/state.ts';
import type { Address, Change, Exceptions, Operation } from './operations.ts';

export interface Broker {
  /** Hands an operation to every node that has a recipient, this one included. Never throws and never waits. */
  publish(operation: Operation): void;
  close(): Promise<void>;
}

export interface Bus {
  /**
   * Emits an event to all devices of the address.
   * @param state set where the event tells how something is now: nobody hears an older state after a newer one
   */
  emit<N extends EventName>(to: Address, event: N, payload: EventPayload<N>, except?: Exceptions, state?: State): void;
  /** Delivers changes of a conversation, ascending by `rev`, after they were stored. */
  changes(conversation: ConversationRef, changes: Change[]): void;
  /** Has every node look for changes of a conversation that were stored but perhaps never told. */
  heal(conversation: ConversationRef): void;
  /** From now on the user receives what is sent to the group, from above `fromSeq`. */
  joined(userId: string, groupId: string, fromSeq: number): void;
  /** From now on the user receives nothing of the group. */
  left(userId: string, groupId: string): void;
  /** Has every node forget what it cached of a conversation or user, or everything. */
  forget(topic: string | undefined): void;
  /** Tells a user's devices, except the one that acted, how the user's view of a conversation is now. */
  viewChanged(userId: string, conversationId: string, exceptSocket: string | undefined): void;
  /** Tells the nodes with devices of a user that the user has begun to use push. */
  usesPush(userId: string): void;
  /** Disconnects all sockets of the sessions. */
  revoke(sessionIds: string[]): void;
}

/** @param broker carries operations to the nodes */
export function createBus(broker: Broker): Bus {
  return {
    emit: (to, event, payload, except, state) => broker.publish({ kind: 'event', to, event, payload, except, state }),
    changes: (conversation, changes) => broker.publish({ kind: 'changes', conversation, changes }),
    heal: (conversation) => broker.publish({ kind: 'heal', conversation }),
    joined: (user_id, group_id, from_seq) => broker.publish({ kind: 'membership', user_id, group_id, from_seq }),
    left: (user_id, group_id) => broker.publish({ kind: 'membership', user_id, group_id, from_seq: null }),
    forget: (topic) => broker.publish({ kind: 'forget', topic }),
    viewChanged: (user_id, conversation_id, except_socket) =>
      broker.publish({ kind: 'view', user_id, conversation_id, except_socket }),
    usesPush: (user_id) => broker.publish({ kind: 'push_user', user_id }),
    revoke: (session_ids) => broker.publish({ kind: 'revoked', session_ids }),
  };
}

/** A bus that also tells whoever follows conversations of the changes that this node has stored. */
export function noting(bus: Bus, note: (conversation: ConversationRef, rev: number) => void): Bus {
  return {
    ...bus,
    changes(conversation, changes) {
      bus.changes(conversation, changes);
      const last = changes.at(-1);
      if (last) note(conversation, last.rev);
    },
  };
}

/** The broker of a single node: every operation is delivered here, at once and in order. */
export function createMemoryBroker(deliver: (operation: Operation) => void): Broker {
  return { publish: deliver, close: async () => {} };
}
