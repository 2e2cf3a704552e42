/** What a conversation is called, and what its last message says in a line. */
import type { Conversation, Message, Target } from 'letsapp-client';
import { nameOf } from '../people/names.ts';

export function titleOf({ peer, group }: Pick<Conversation, 'peer' | 'group'>): string {
  if (group) return group.name;
  return peer ? nameOf(peer) : 'Unknown';
}

export function targetOf({ peer, group }: Conversation): Target {
  return group ? { group_id: group._id } : { recipient_id: peer!._id };
}

const KINDS = { text: '', image: 'Photo', audio: 'Voice message', video: 'Video', document: 'File' };

/** A message in a line. */
export function lineOf(message: Message, me: string | undefined): string {
  if (message.is_deleted) return 'Message deleted';
  const text = message.content || KINDS[message.message_type];
  return message.sender_id === me ? `You: ${text}` : text;
}
