/** Who is mentioned, as it is stored: the keys by which mentions are counted and found. */
import { ObjectId } from 'mongodb';

/** Stands for everyone in the group. */
export const EVERYONE = new ObjectId('000000000000000000000000');

/** Matches the messages of others that mention a user. Tombstones mention nobody. */
export function mentioning(userId: ObjectId) {
  return { mentioned: { $in: [userId, EVERYONE] }, sender_id: { $ne: userId } };
}
