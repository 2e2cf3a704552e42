/** Reactions to a message: one entry per emoji, in the order of first use, with its users in the order of reacting. */
import type { ObjectId } from 'mongodb';
import { conflict } from '../lib/errors.ts';
import type { Reaction } from '../model/documents/messages.ts';

/** Distinct emojis on one message: enough for people, and keeps the document small. */
export const MAX_EMOJIS = 128;

/** Variation selectors 15 and 16 ask for a picture in black or in colour: some keyboards add one, others do not. */
const VARIATION_SELECTORS = /[\uFE0E\uFE0F]/g;

/** Whether two emojis are one to people. */
function isSame(one: string, other: string): boolean {
  return one === other || one.replace(VARIATION_SELECTORS, '') === other.replace(VARIATION_SELECTORS, '');
}

/**
 * The reactions with one more, written as the first of its kind was; undefined where it is there already.
 * @throws ContractError `conflict` where the message carries `MAX_EMOJIS` others
 */
export function withReaction(reactions: Reaction[], emoji: string, userId: ObjectId): Reaction[] | undefined {
  const alike = reactions.filter((reaction) => isSame(reaction.emoji, emoji));
  const [existing] = alike;
  if (!existing) {
    if (reactions.length === MAX_EMOJIS) throw conflict(`a message carries at most ${MAX_EMOJIS} different reactions`);
    return [...reactions, { emoji, user_ids: [userId] }];
  }
  if (alike.some((reaction) => has(reaction, userId))) return undefined;
  const grown = { ...existing, user_ids: [...existing.user_ids, userId] };
  return reactions.map((reaction) => (reaction === existing ? grown : reaction));
}

/** The reactions without one; undefined where it is not there. */
export function withoutReaction(reactions: Reaction[], emoji: string, userId: ObjectId): Reaction[] | undefined {
  const isTheirs = (reaction: Reaction) => isSame(reaction.emoji, emoji) && has(reaction, userId);
  if (!reactions.some(isTheirs)) return undefined;
  return reactions
    .map((reaction) =>
      isTheirs(reaction) ? { ...reaction, user_ids: reaction.user_ids.filter((id) => !id.equals(userId)) } : reaction,
    )
    .filter(({ user_ids }) => user_ids.length > 0);
}

function has(reaction: Reaction, userId: ObjectId): boolean {
  return reaction.user_ids.some((id) => id.equals(userId));
}
