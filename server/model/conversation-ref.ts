/** The ids of conversations, and references to them. */
import type { MessageDocument } from './documents/messages.ts';

/** A conversation and the users or group that it belongs to. */
export type ConversationRef =
  | { id: string; kind: 'direct'; user_ids: [string, string] }
  | { id: string; kind: 'group'; group_id: string };

/** The kinds of conversations: the messages of each lie in a collection of their own. */
export const KINDS = ['direct', 'group'] as const;

/** The id of two users' conversation, the same in either order. */
export function pairId(one: string, other: string): string {
  return one < other ? `${one}-${other}` : `${other}-${one}`;
}

/** The conversation of two users. */
export function pairRef(one: string, other: string): ConversationRef & { kind: 'direct' } {
  return { id: pairId(one, other), kind: 'direct', user_ids: one < other ? [one, other] : [other, one] };
}

/** The conversation of a group: its id is the group's. */
export function groupRef(groupId: string): ConversationRef & { kind: 'group' } {
  return { id: groupId, kind: 'group', group_id: groupId };
}

/** The conversation that a stored message belongs to. */
export function refOf(message: MessageDocument): ConversationRef {
  return 'group_id' in message
    ? groupRef(message.group_id.toHexString())
    : pairRef(message.sender_id.toHexString(), message.recipient_id.toHexString());
}

/** The conversation that an id names. A malformed id comes out as a group that does not exist. */
export function refFromId(conversationId: string): ConversationRef {
  const [one, other] = conversationId.split('-');
  return one && other ? pairRef(one, other) : groupRef(conversationId);
}
