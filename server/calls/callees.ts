import type { Audience } from '../conversations/audience.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** Whom a user calls in a conversation: the other one of a pair, or a group's other members with active accounts. */
export async function calleesOf(
  { users }: Pick<Collections, 'users'>,
  audience: Pick<Audience, 'membersOfGroups'>,
  conversation: ConversationRef,
  callerId: string,
): Promise<string[]> {
  if (conversation.kind === 'direct') return conversation.user_ids.filter((id) => id !== callerId);
  const members = (await audience.membersOfGroups([conversation.id])).get(conversation.id) ?? [];
  const others = members.filter((id) => id !== callerId);
  const active = await users
    .find({ _id: { $in: others.map(fromId) }, is_active: true }, { projection: { _id: 1 } })
    .toArray();
  return active.map((user) => user._id.toHexString());
}
