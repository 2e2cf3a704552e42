import type { ObjectId } from 'mongodb';
import { eachOf } from '../../lib/each-of.ts';

/** How many users are asked for at once: each costs three commands, and what users wait for needs the connections too. */
const AT_ONCE = 6;

interface Unread {
  badge: number;
  counts: ReadonlyMap<string, number>;
}

/** How much a user has not read. */
export type UnreadOf = (userId: ObjectId) => Promise<Unread>;

/** @returns how much each user has not read, by the user's id; each is asked for once */
export async function readUnread(unreadOf: UnreadOf, userIds: readonly ObjectId[]): Promise<Map<string, Unread>> {
  const distinct = new Map(userIds.map((id) => [id.toHexString(), id]));
  const found = new Map<string, Unread>();
  await eachOf(distinct, AT_ONCE, async ([id, userId]) => found.set(id, await unreadOf(userId)));
  return found;
}
