/**
 * Stays: what joining and leaving write to a group's memberships. The group's document says who is in; a membership says
 * from where on its user sees messages, and must never say a lower place than it should. So a stay is opened before the
 * group's document lets the user in: a crash between the two only hides more from someone who sees nothing anyway. See
 * docs/data.md, "Groups".
 */
import { ObjectId } from 'mongodb';
import { type Upsert, upsertEach } from '../model/batches.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';

/** Most documents in one write: a big group must neither keep others waiting nor run out of time. */
const BATCH = 200;

export interface Stays {
  /** Opens stays in which nothing up to `fromSeq` is visible, and raises the marks to it. Idempotent. */
  open(groupId: ObjectId, userIds: ObjectId[], fromSeq: number): Promise<void>;
  /**
   * Closes stays of users whom the group's document no longer lets in.
   * @param at a moment before the group's document was changed: stays opened since then are new ones and stay open
   */
  close(groupId: ObjectId, userIds: ObjectId[], at: Date): Promise<void>;
  /** As `close`, for a user who left without being removed: it is counted. */
  closeOwn(groupId: ObjectId, userId: ObjectId, at: Date): Promise<void>;
  /** Notes that an admin removes a user. Called before the group's document is changed. */
  removing(groupId: ObjectId, userId: ObjectId, at: Date): Promise<void>;
  /** Those of the users who left the group by themselves at least so many times. */
  leftAtLeast(groupId: ObjectId, userIds: ObjectId[], times: number): Promise<ObjectId[]>;
  /** Takes back all stays of a group that was not made after all. */
  discard(groupId: ObjectId): Promise<void>;
}

export function createStays({ memberships }: Pick<Collections, 'memberships'>, clock: () => Date): Stays {
  /** The membership of a stay that began before a moment. */
  const begunBefore = (at: Date, groupId: ObjectId, userIds: ObjectId[]) => ({
    user_id: { $in: userIds },
    conversation_id: groupId.toHexString(),
    joined_at: { $lt: at },
  });

  return {
    async open(groupId, userIds, fromSeq) {
      const now = clock();
      const upserts = userIds.map(
        (user_id): Upsert<MembershipDocument> => ({
          filter: { user_id, conversation_id: groupId.toHexString() },
          update: {
            $max: { from_seq: fromSeq, delivered_seq: fromSeq, read_seq: fromSeq, shown_read_seq: fromSeq },
            $set: { joined_at: now, changed_at: now },
            $inc: { version: 1 },
            $unset: { left_at: true },
            $setOnInsert: { _id: new ObjectId(), kind: 'group', group_id: groupId },
          },
        }),
      );
      for (let from = 0; from < upserts.length; from += BATCH) {
        await upsertEach(memberships, upserts.slice(from, from + BATCH));
      }
    },
    async close(groupId, userIds, at) {
      await memberships.updateMany(begunBefore(at, groupId, userIds), { $set: { left_at: at, changed_at: at } });
    },
    async closeOwn(groupId, userId, at) {
      await memberships.updateOne(begunBefore(at, groupId, [userId]), {
        $set: { left_at: at, changed_at: at },
        $inc: { departures: 1 },
      });
    },
    async removing(groupId, userId, at) {
      await memberships.updateOne(
        { user_id: userId, conversation_id: groupId.toHexString() },
        { $max: { removed_at: at } },
      );
    },
    async leftAtLeast(groupId, userIds, times) {
      const found = await memberships
        .find(
          { user_id: { $in: userIds }, conversation_id: groupId.toHexString(), departures: { $gte: times } },
          { projection: { user_id: 1 } },
        )
        .toArray();
      return found.map(({ user_id }) => user_id);
    },
    async discard(groupId) {
      await memberships.deleteMany({ conversation_id: groupId.toHexString() });
    },
  };
}
