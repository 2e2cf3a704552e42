/** What a conversation is called, and what its last message says in a line. */
import type { Conversation, Message, Target } from 'letsapp-client';
import { nameOf } from '../people/names.ts';
import type { Place } from '../route.ts';

export function titleOf({ peer, group }: Pick<Conversation, 'peer' | 'group'>): string {
  if (group) return group.name;
  return peer ? nameOf(peer) : 'Unknown';
}

export function targetOf({ peer, group }: Conversation): Target {
  return group ? { group_id: group._id } : { recipient_id: peer!._id };
}

const KINDS = { text: '', image: 'Photo', audio: 'Voice message', video: 'Video', document: 'File' };

/** What a message says. */
export function textOf(message: Message): string {
  if (message.is_deleted) return 'Message deleted';
  return message.content || KINDS[message.message_type];
}

/** Where a message stands: in its conversation, or in a thread of that alone. */
export function placeOf(message: Message, me: string | undefined): { target: Target; place: Place } {
  const other = 'recipient_id' in message && message.sender_id === me ? message.recipient_id : message.sender_id;
  const target = 'group_id' in message ? { group_id: message.group_id } : { recipient_id: other };
  const isAside = message.thread_id !== undefined && message.in_conversation !== true;
  return { target, place: isAside ? { thread: message.thread_id! } : { message: message._id } };
}

/** A message in a line. */
export function lineOf(message: Message, me: string | undefined): string {
  return message.sender_id === me && !message.is_deleted ? `You: ${textOf(message)}` : textOf(message);
}
