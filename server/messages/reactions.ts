/** Reactions to a message: one entry per emoji, in the order of first use, with its users in the order of reacting. */
import type { ObjectId } from 'mongodb';
import { conflict } from '../lib/errors.ts';
import type { Reaction } from '../model/documents/messages.ts';

/** Distinct emojis on one message: enough for people, and keeps the document small. */
export const MAX_EMOJIS = 128;

/**
 * The reactions with one more; undefined where it is there already.
 * @throws ContractError `conflict` where the message carries `MAX_EMOJIS` others
 */
export function withReaction(reactions: Reaction[], emoji: string, userId: ObjectId): Reaction[] | undefined {
  const existing = reactions.find((reaction) => reaction.emoji === emoji);
  if (!existing) {
    if (reactions.length === MAX_EMOJIS) throw conflict(`a message carries at most ${MAX_EMOJIS} different reactions`);
    return [...reactions, { emoji, user_ids: [userId] }];
  }
  if (has(existing, userId)) return undefined;
  const grown = { emoji, user_ids: [...existing.user_ids, userId] };
  return reactions.map((reaction) => (reaction === existing ? grown : reaction));
}

/** The reactions without one; undefined where it is not there. */
export function withoutReaction(reactions: Reaction[], emoji: string, userId: ObjectId): Reaction[] | undefined {
  const existing = reactions.find((reaction) => reaction.emoji === emoji);
  if (!existing || !has(existing, userId)) return undefined;
  const user_ids = existing.user_ids.filter((id) => !id.equals(userId));
  return user_ids.length === 0
    ? reactions.filter((reaction) => reaction !== existing)
    : reactions.map((reaction) => (reaction === existing ? { emoji, user_ids } : reaction));
}

function has(reaction: Reaction, userId: ObjectId): boolean {
  return reaction.user_ids.some((id) => id.equals(userId));
}
