/** What a client knows: plain values that no one changes in place. */
import type { Call, Contact, Conversation, Message, Presence, Self, Target } from '../contract.ts';
import type { Span } from './spans.ts';
import type { KeptThread } from './threads.ts';

/** What is kept of one conversation. */
export interface Kept {
  target: Target;
  /** The wire's document, kept right by what happens; undefined until the server has told it. */
  conversation: Conversation | undefined;
  /** Ascending by `seq`: all that are visible from `fromSeq` on. */
  messages: readonly Message[];
  /** Messages below this `seq` are not kept: they come by `message:history`. */
  fromSeq: number;
  /** Whether there may be any below. */
  hasOlder: boolean;
  /** Every change up to this `rev` is known; 0 where the conversation was never asked for. */
  rev: number;
  /** The `rev` as of which the server told the document: it counts every change up to there. */
  toldRev: number;
  /** Changes beyond that are known too, where something between may be missing. */
  ahead: readonly Span[];
}

export interface State {
  me: Self | undefined;
  /** The `server_time` of the last complete `sync`: the next one asks for what changed since. */
  since: string | undefined;
  /** By conversation id. */
  conversations: ReadonlyMap<string, Kept>;
  /** By the other's user id. */
  contacts: ReadonlyMap<string, Contact>;
  /** By id: those not over, and the last that are. */
  calls: ReadonlyMap<string, Call>;
  /** By user id. */
  presences: ReadonlyMap<string, Presence>;
  /** Those that somebody has looked at, by the id of the message that they hang on. They are not stored. */
  threads: ReadonlyMap<string, KeptThread>;
}

export const EMPTY: State = {
  me: undefined,
  since: undefined,
  conversations: new Map(),
  contacts: new Map(),
  calls: new Map(),
  presences: new Map(),
  threads: new Map(),
};

/** Two targets are the same where their keys are. */
export function keyOf({ recipient_id, group_id }: Target): string {
  return group_id === undefined ? `user ${recipient_id}` : `group ${group_id}`;
}

/** The target of a conversation: its group, or the peer. */
export function targetOf({ group, peer }: Conversation): Target | undefined {
  if (group) return { group_id: group._id };
  return peer && { recipient_id: peer._id };
}

/** The target whose conversation a message is in, as its sender or recipient writes to it. */
export function targetOfMessage(message: Message, me: string | undefined): Target {
  if ('group_id' in message) return { group_id: message.group_id };
  return { recipient_id: message.sender_id === me ? message.recipient_id : message.sender_id };
}

/** Whether a message stands in its thread alone, and not in the conversation. */
export function isAside({ thread_id, in_conversation }: { thread_id?: string; in_conversation?: true }): boolean {
  return thread_id !== undefined && in_conversation !== true;
}

/** A copy of a map with an entry changed, or without it. */
export function withEntry<V>(map: ReadonlyMap<string, V>, key: string, value: V | undefined): ReadonlyMap<string, V> {
  if (map.get(key) === value) return map;
  const copy = new Map(map);
  if (value === undefined) copy.delete(key);
  else copy.set(key, value);
  return copy;
}
