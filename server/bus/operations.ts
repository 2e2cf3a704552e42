/** What can be told to sockets: plain JSON, so that another node can be told the same. */
import type { Message } from '../../shared/contract/documents.ts';
import type { EventName, EventPayload } from '../../shared/contract/index.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { State } from '../model/state.ts';

/** One step of a conversation's `rev`: a new message, or a change of an old one. */
export interface Change {
  rev: number;
  /** Set where several changes of one message are told as one: the `rev` of the first of them. */
  first_rev?: number;
  message: Message;
  is_new: boolean;
  /** The conversation's highest `seq` at this `rev`. */
  last_seq: number;
  /** The socket that acted, or of several the last: the acknowledgement is its copy. */
  except_socket?: string | undefined;
  /** Who changed an old message, and so causes what is sent. */
  by?: string;
}

/** The conversation's highest `seq` before a change. */
export function lastSeqBefore(change: Change): number {
  return change.is_new ? change.last_seq - 1 : change.last_seq;
}

/** The lowest `rev` that a change takes. */
export function firstRevOf({ rev, first_rev = rev }: Change): number {
  return first_rev;
}

/** Who an event is for. A socket of another node is reached by ephemeral events only. */
export type Address = { users: string[] } | { group: string } | { session: string } | { socket: string };

export interface Exceptions {
  /** The socket that acted. */
  socket?: string | undefined;
  /** Users who must not see it (blocked, or hidden by a setting). */
  users?: string[];
  /** Who causes what is sent; this leaves nobody out. */
  by?: string;
}

export interface EventOperation<N extends EventName = EventName> {
  kind: 'event';
  to: Address;
  event: N;
  payload: EventPayload<N>;
  except?: Exceptions | undefined;
  /** Set where the event tells how something is now. */
  state?: State | undefined;
}

export type Operation =
  | EventOperation
  | { kind: 'changes'; conversation: ConversationRef; changes: Change[] }
  /** Asks every node to compare with the database what it delivered of a conversation. */
  | { kind: 'heal'; conversation: ConversationRef }
  /** A user joined a group (nothing up to `from_seq` is visible) or left it (null). */
  | { kind: 'membership'; user_id: string; group_id: string; from_seq: number | null }
  | { kind: 'revoked'; session_ids: string[] }
  /** A user has begun to use push: nodes with devices of the user note what each of them acknowledges. */
  | { kind: 'push_user'; user_id: string }
  /** Asks every node to forget what it cached of a conversation or user, or everything. */
  | { kind: 'forget'; topic?: string | undefined }
  /** A user's view of a conversation changed: whoever has other devices of the user makes it anew for them. */
  | { kind: 'view'; user_id: string; conversation_id: string; except_socket?: string | undefined };

/** Events that mean nothing later. They travel by the Socket.IO adapter, and nobody looks for those that got lost. */
const EPHEMERAL: ReadonlySet<EventName> = new Set<EventName>(['typing', 'call:signal']);

export function isEphemeral(operation: Operation): operation is EventOperation {
  return operation.kind === 'event' && EPHEMERAL.has(operation.event);
}
