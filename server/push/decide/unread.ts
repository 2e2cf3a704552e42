import type { ObjectId } from 'mongodb';

/** How much a user has not read. */
export type UnreadOf = (userId: ObjectId) => Promise<{ badge: number; counts: ReadonlyMap<string, number> }>;

/** @returns what of each user, by id; each is asked for once */
export async function readUnread(unreadOf: UnreadOf, userIds: readonly ObjectId[]) {
  const distinct = new Map(userIds.map((id) => [id.toHexString(), id]));
  return new Map(await Promise.all([...distinct].map(async ([id, userId]) => [id, await unreadOf(userId)] as const)));
}
