/**
 * The memberships of a group, as far as joining and leaving change them. The group's document decides who is in; these
 * say from where on its messages are visible, and must therefore never lie lower than they should: a stay is opened
 * before the group's document lets the user in, and whatever dies in between has only hidden more from someone who sees
 * nothing anyway. See docs/data.md, "Groups".
 */
import { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import { isDuplicateKey } from '../model/failures.ts';

/** Documents in one write: a big group shall neither keep others waiting nor run out of time. */
const BATCH = 200;

export interface Stays {
  /** Opens stays from which nothing up to `fromSeq` is visible; marks are raised to it. Idempotent. */
  open(groupId: ObjectId, userIds: ObjectId[], fromSeq: number): Promise<void>;
  /**
   * Ends stays that the group's document has ended already.
   * @param at a moment before the group's document was changed: a stay that was opened since then is another one
   */
  close(groupId: ObjectId, userIds: ObjectId[], at: Date): Promise<void>;
}

/** @param collections the collections of the database */
export function createStays({ memberships }: Collections, clock: () => Date): Stays {
  return {
    async open(groupId, userIds, fromSeq) {
      const now = clock();
      const upserts = userIds.map((user_id) => ({
        updateOne: {
          filter: { user_id, conversation_id: groupId.toHexString() },
          update: {
            $max: { from_seq: fromSeq, delivered_seq: fromSeq, read_seq: fromSeq, shown_read_seq: fromSeq },
            $set: { joined_at: now, changed_at: now },
            $unset: { left_at: true as const },
            $setOnInsert: { _id: new ObjectId(), kind: 'group' as const, group_id: groupId },
          },
          upsert: true,
        },
      }));
      for (let from = 0; from < upserts.length; from += BATCH) {
        const batch = upserts.slice(from, from + BATCH);
        try {
          await memberships.bulkWrite(batch, { ordered: false });
        } catch (error) {
          if (!isDuplicateKey(error)) throw error;
          // Another node made one of them at the same moment: now it is there to be updated.
          await memberships.bulkWrite(batch, { ordered: false });
        }
      }
    },
    async close(groupId, userIds, at) {
      await memberships.updateMany(
        { user_id: { $in: userIds }, conversation_id: groupId.toHexString(), joined_at: { $lt: at } },
        { $set: { left_at: at, changed_at: at } },
      );
    },
  };
}
