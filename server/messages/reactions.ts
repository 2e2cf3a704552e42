/** Reactions to a message: one entry per emoji, in the order of first use, with its users in the order of reacting. */
import type { ObjectId, UpdateFilter } from 'mongodb';
import { conflict } from '../lib/errors.ts';
import type { MessageDocument, Reaction } from '../model/documents/messages.ts';

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

/**
 * The update that turns reactions into others: ids are added and taken away one by one, so that it costs as much as what
 * changes, however many have reacted. It relies on the order of the stored entries.
 * @returns undefined where one update cannot do it
 */
export function reactionUpdate(
  before: readonly Reaction[],
  after: readonly Reaction[],
): UpdateFilter<MessageDocument> | undefined {
  const kept = new Map(after.map((reaction) => [reaction.emoji, reaction]));
  const gone = before.filter(({ emoji }) => !kept.has(emoji)).map(({ emoji }) => emoji);
  const changed = before.flatMap((reaction, i) => {
    const now = kept.get(reaction.emoji) ?? reaction;
    return now === reaction ? [] : [{ path: `reactions.${i}.user_ids`, ...differenceOf(reaction, now) }];
  });
  const added = after.slice(before.length - gone.length);
  if (gone.length > 0) {
    return changed.length + added.length === 0 ? { $pull: { reactions: { emoji: { $in: gone } } } } : undefined;
  }
  if (changed.some(({ joined, left }) => joined.length > 0 && left.length > 0)) return undefined;
  if (before.length === 0) return { $set: { reactions: [...after] } };
  const $set = Object.fromEntries(added.map((reaction, i) => [`reactions.${before.length + i}`, reaction]));
  const $push = changed.flatMap(({ path, joined }) => (joined.length > 0 ? [[path, { $each: joined }]] : []));
  const $pull = changed.flatMap(({ path, left }) => (left.length > 0 ? [[path, { $in: left }]] : []));
  return {
    ...(added.length > 0 ? { $set } : {}),
    ...($push.length > 0 ? { $push: Object.fromEntries($push) } : {}),
    ...($pull.length > 0 ? { $pull: Object.fromEntries($pull) } : {}),
  };
}

/** Who joined an entry, in their order, and who left it. */
function differenceOf({ user_ids: before }: Reaction, { user_ids: after }: Reaction) {
  const was = new Set(before.map((id) => id.toHexString()));
  const is = new Set(after.map((id) => id.toHexString()));
  return {
    joined: after.filter((id) => !was.has(id.toHexString())),
    left: before.filter((id) => !is.has(id.toHexString())),
  };
}

function has(reaction: Reaction, userId: ObjectId): boolean {
  return reaction.user_ids.some((id) => id.equals(userId));
}
