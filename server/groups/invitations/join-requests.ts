/** What is stored of those who ask to join a group. */
import { ObjectId } from 'mongodb';
import type { Collections } from '../../model/collections.ts';
import type { JoinRequestDocument } from '../../model/documents/groups.ts';
import { isDuplicateKey } from '../../model/failures.ts';

/** Where a page of requests ends. */
export type RequestPosition = Pick<JoinRequestDocument, 'at' | '_id'>;

export interface JoinRequests {
  /** Stores that a user asks. @returns false where the user has asked already */
  ask(groupId: ObjectId, userId: ObjectId, inviteId: string): Promise<boolean>;
  find(groupId: ObjectId, userId: ObjectId): Promise<JoinRequestDocument | null>;
  /** Oldest first. */
  page(groupId: ObjectId, after: RequestPosition | undefined, limit: number): Promise<JoinRequestDocument[]>;
  /** Decides that a user is let in. @returns null where there is nothing to decide */
  accept(groupId: ObjectId, userId: ObjectId, by: ObjectId): Promise<JoinRequestDocument | null>;
  /** Takes that back: the user could not be let in. */
  reopen(request: JoinRequestDocument): Promise<void>;
  /** Turns a user down. @returns false where there is nothing to decide */
  reject(groupId: ObjectId, userId: ObjectId): Promise<boolean>;
  /** Removes the requests of users who are in the group, or have left it. */
  end(groupId: ObjectId, userIds: ObjectId[]): Promise<void>;
  /** Removes those of a group that is over. */
  endAll(groupId: ObjectId): Promise<void>;
  /** Removes those of a user. */
  erase(userId: ObjectId): Promise<void>;
}

const UNDECIDED = { accepted_by: { $exists: false } } as const;

export function createJoinRequests(
  { join_requests }: Pick<Collections, 'join_requests'>,
  clock: () => Date,
): JoinRequests {
  return {
    async ask(group_id, user_id, invite_id) {
      try {
        const asked = await join_requests.updateOne(
          { group_id, user_id },
          { $setOnInsert: { _id: new ObjectId(), at: clock(), invite_id } },
          { upsert: true },
        );
        return asked.upsertedCount > 0;
      } catch (error) {
        // The same user asked at the same moment.
        if (!isDuplicateKey(error)) throw error;
        return false;
      }
    },
    find: (group_id, user_id) => join_requests.findOne({ group_id, user_id }),
    page(group_id, after, limit) {
      const behind = after && { $or: [{ at: { $gt: after.at } }, { at: after.at, _id: { $gt: after._id } }] };
      return join_requests
        .find({ group_id, ...(after ? { at: { $gte: after.at } } : {}), ...behind })
        .sort({ at: 1, _id: 1 })
        .limit(limit)
        .toArray();
    },
    accept: (group_id, user_id, accepted_by) =>
      join_requests.findOneAndUpdate(
        { group_id, user_id, ...UNDECIDED },
        { $set: { accepted_by } },
        { returnDocument: 'after' },
      ),
    async reopen({ _id }) {
      await join_requests.updateOne({ _id }, { $unset: { accepted_by: true } });
    },
    async reject(group_id, user_id) {
      return (await join_requests.deleteOne({ group_id, user_id, ...UNDECIDED })).deletedCount > 0;
    },
    async end(group_id, userIds) {
      await join_requests.deleteMany({ group_id, user_id: { $in: userIds } });
    },
    async endAll(group_id) {
      await join_requests.deleteMany({ group_id });
    },
    async erase(user_id) {
      await join_requests.deleteMany({ user_id });
    },
  };
}
