/** Reactions to a message: one entry per emoji, in the order of first use, with its users in the order of reacting. */
import type { ObjectId, UpdateFilter } from 'mongodb';
import { conflict } from '../lib/errors.ts';
import type { MessageDocument, Reaction } from '../model/documents/messages.ts';

/** Distinct emojis on one message: enough for people, and keeps the document small. */
export const MAX_EMOJIS = 128;

/** How many users an emoji names on one message; further ones are counted (`counted-reactions.ts`). */
export const MOST_USERS = 1024;

/** Thrown where a reaction depends on how many are counted, and that was not asked. */
export class CountNeeded extends Error {}

/** Variation selectors 15 and 16 ask for a picture in black or in colour: some keyboards add one, others do not. */
const VARIATION_SELECTORS = /[\uFE0E\uFE0F]/g;

/** Whether people take two emojis for the same. */
function isSame(one: string, other: string): boolean {
  return one === other || one.replace(VARIATION_SELECTORS, '') === other.replace(VARIATION_SELECTORS, '');
}

/** An emoji's entry, as the message has it, where users are counted beyond those named, or this user would be. */
export function countedEntry(reactions: Reaction[], emoji: string, userId: ObjectId): Reaction | undefined {
  const entry = reactions.find((reaction) => isSame(reaction.emoji, emoji));
  const isFull = entry && entry.user_ids.length >= MOST_USERS && !has(entry, userId);
  return entry && (isFull || entry.count !== undefined) ? entry : undefined;
}

/** As `countedEntry`, with how many are counted. @throws CountNeeded where that is missing */
function toRecount(reactions: Reaction[], emoji: string, userId: ObjectId, counted: number | undefined) {
  const entry = countedEntry(reactions, emoji, userId);
  if (!entry) return undefined;
  if (counted === undefined) throw new CountNeeded();
  return { entry, counted };
}

/**
 * The reactions once a user's reaction to an entry is counted, or no longer is.
 * @param counted how many are then counted and not named
 */
function recounted(reactions: Reaction[], entry: Reaction, counted: number, left?: ObjectId): Reaction[] | undefined {
  const user_ids = left && has(entry, left) ? entry.user_ids.filter((id) => !id.equals(left)) : entry.user_ids;
  const { count: _count, ...named } = { ...entry, user_ids };
  const now: Reaction = counted > 0 ? { ...named, count: user_ids.length + counted } : named;
  if (now.count === entry.count && user_ids === entry.user_ids) return undefined;
  return reactions
    .map((reaction) => (reaction === entry ? now : reaction))
    .filter((reaction) => reaction !== now || (now.count ?? user_ids.length) > 0);
}

/**
 * The reactions with one more, written as the first of its kind was; undefined where it is there already.
 * @param counted of `countedEntry`, how many are not named, this one included
 * @throws ContractError `conflict` where the message carries `MAX_EMOJIS` others; CountNeeded where `counted` is missing
 */
export function withReaction(
  reactions: Reaction[],
  emoji: string,
  userId: ObjectId,
  counted?: number,
): Reaction[] | undefined {
  const recount = toRecount(reactions, emoji, userId, counted);
  if (recount) return recounted(reactions, recount.entry, recount.counted);
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

/**
 * The reactions without one; undefined where it is not there.
 * @param counted of `countedEntry`, how many are not named, without this one
 * @throws CountNeeded where `counted` is missing
 */
export function withoutReaction(
  reactions: Reaction[],
  emoji: string,
  userId: ObjectId,
  counted?: number,
): Reaction[] | undefined {
  const recount = toRecount(reactions, emoji, userId, counted);
  if (recount) return recounted(reactions, recount.entry, recount.counted, userId);
  const isTheirs = (reaction: Reaction) => isSame(reaction.emoji, emoji) && has(reaction, userId);
  if (!reactions.some(isTheirs)) return undefined;
  return reactions
    .map((reaction) =>
      isTheirs(reaction) ? { ...reaction, user_ids: reaction.user_ids.filter((id) => !id.equals(userId)) } : reaction,
    )
    .filter(({ user_ids }) => user_ids.length > 0);
}

/**
 * The update that turns reactions into others: ids are added and taken away one by one, so that its cost depends on
 * what changes, not on how many have reacted. It relies on the order of the stored entries.
 * @returns undefined where one update cannot do it
 */
export function reactionUpdate(
  before: readonly Reaction[],
  after: readonly Reaction[],
): UpdateFilter<MessageDocument> | undefined {
  const kept = new Map(after.map((reaction) => [reaction.emoji, reaction]));
  const gone = before.filter(({ emoji }) => !kept.has(emoji)).map(({ emoji }) => emoji);
  const stay = before.filter(({ emoji }) => kept.has(emoji));
  // An emoji that went and came back is the last one now.
  if (stay.some(({ emoji }, i) => after[i]!.emoji !== emoji)) return undefined;
  const changed = before.flatMap((reaction, i) => {
    const now = kept.get(reaction.emoji) ?? reaction;
    return now === reaction ? [] : [{ path: `reactions.${i}`, count: now.count, ...differenceOf(reaction, now) }];
  });
  const added = after.slice(stay.length);
  if (gone.length > 0) {
    return changed.length + added.length === 0 ? { $pull: { reactions: { emoji: { $in: gone } } } } : undefined;
  }
  const isMixed = changed.some(
    ({ joined, left, isReordered }) => isReordered || (joined.length > 0 && left.length > 0),
  );
  if (isMixed) return undefined;
  if (before.length === 0) return { $set: { reactions: [...after] } };
  const $set = [
    ...added.map((reaction, i) => [`reactions.${before.length + i}`, reaction]),
    ...changed.flatMap(({ path, count }) => (count === undefined ? [] : [[`${path}.count`, count]])),
  ];
  const $unset = changed.flatMap(({ path, count }) => (count === undefined ? [[`${path}.count`, true]] : []));
  const $push = changed.flatMap(({ path, joined }) =>
    joined.length > 0 ? [[`${path}.user_ids`, { $each: joined }]] : [],
  );
  const $pull = changed.flatMap(({ path, left }) => (left.length > 0 ? [[`${path}.user_ids`, { $in: left }]] : []));
  return {
    ...($set.length > 0 ? { $set: Object.fromEntries($set) } : {}),
    ...($unset.length > 0 && before.some(({ count }) => count) ? { $unset: Object.fromEntries($unset) } : {}),
    ...($push.length > 0 ? { $push: Object.fromEntries($push) } : {}),
    ...($pull.length > 0 ? { $pull: Object.fromEntries($pull) } : {}),
  };
}

/** Who joined an entry, in their order, who left it, and whether somebody did both and is the last one now. */
function differenceOf({ user_ids: before }: Reaction, { user_ids: after }: Reaction) {
  // As `withReaction` leaves it. In a storm it is asked for each reaction, about all before it.
  if (before.every((id, i) => id === after[i])) {
    return { joined: after.slice(before.length), left: [], isReordered: false };
  }
  const was = new Set(before.map((id) => id.toHexString()));
  const is = new Set(after.map((id) => id.toHexString()));
  const stay = before.filter((id) => is.has(id.toHexString()));
  return {
    joined: after.filter((id) => !was.has(id.toHexString())),
    left: before.filter((id) => !is.has(id.toHexString())),
    isReordered: stay.some((id, i) => !id.equals(after[i]!)),
  };
}

/** Whether an entry names a user. */
export function has(reaction: Reaction, userId: ObjectId): boolean {
  return reaction.user_ids.some((id) => id.equals(userId));
}
