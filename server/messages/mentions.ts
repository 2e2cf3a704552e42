/** Mentions (PROTOCOL section 16): the client says who, and the text is not looked at. */
import type { Mentions } from '../../shared/contract/messages.ts';
import { type Access, refuseUnpermitted } from '../conversations/access.ts';
import type { Audience } from '../conversations/audience.ts';
import { EVERYONE } from '../conversations/mentioned.ts';
import { invalid } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { MessageDocument } from '../model/documents/messages.ts';

/** What a message stores of whom it mentions. */
export type Mentioning = Pick<MessageDocument, 'mentions' | 'mentioned'>;

/**
 * @throws ContractError `validation_failed` for somebody who is not in the conversation, oneself, or everyone in a pair;
 *   `forbidden` for everyone where the group keeps that to its admins
 */
export async function checkMentions(
  audience: Pick<Audience, 'membersOf'>,
  userId: string,
  access: Access,
  { user_ids = [], everyone }: Mentions,
): Promise<void> {
  const { conversation } = access;
  if (everyone && conversation.kind === 'direct') throw invalid('mentions.everyone', 'is for groups');
  if (everyone) refuseUnpermitted(access, 'mention_everyone');
  if (user_ids.length === 0) return;
  const members = await audience.membersOf(conversation);
  for (const [i, id] of user_ids.entries()) {
    if (id === userId) throw invalid(`mentions.user_ids.${i}`, 'must NOT be oneself');
    if (!members.has(id)) throw invalid(`mentions.user_ids.${i}`, 'is not in the conversation');
  }
}

/** @returns the stored form, to spread: nothing where nobody is mentioned */
export function storedMentions({ user_ids, everyone }: Mentions = {}): Mentioning {
  if (!user_ids && !everyone) return {};
  const ids = user_ids?.map(fromId);
  return {
    mentions: { ...(ids ? { user_ids: ids } : {}), ...(everyone ? { everyone } : {}) },
    mentioned: [...(ids ?? []), ...(everyone ? [EVERYONE] : [])],
  };
}

/** Whether two messages mention the same, in the same order. */
export function mentionSame(one: Mentioning, other: Mentioning): boolean {
  const [ids, others] = [one.mentioned ?? [], other.mentioned ?? []];
  return ids.length === others.length && ids.every((id, i) => id.equals(others[i]!));
}
