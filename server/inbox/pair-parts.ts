/** The summaries of a user's pairs, as parts of what is read together. */
import type { Filter, ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { ListPosition } from './list-position.ts';
import type { Part } from './read-together.ts';

export interface PairParts {
  /**
   * Pairs in the order of their activity, newest first; those in which nothing was ever written come last.
   * @param after only those behind this position
   * @param limit so many at most
   */
  behind(userId: ObjectId, after: ListPosition | undefined, limit?: number): Part;
  /** Those that were active since a time. */
  activeSince(userId: ObjectId, at: Date): Part;
  /** Those in which anything was written, or a message changed, since a time. */
  changedSince(userId: ObjectId, since: Date): Part;
  /** Those of the ids that are pairs of the user. */
  among(userId: ObjectId, ids: readonly string[]): Part[];
}

export function createPairParts({ conversations }: Pick<Collections, 'conversations'>): PairParts {
  const matching = (filter: Filter<ConversationDocument>): Part => ({
    collection: conversations,
    stages: [{ $match: filter }],
  });
  return {
    behind(user_ids, after, limit) {
      const at = after && new Date(after.at);
      const { collection, stages } = matching({
        user_ids,
        ...(at ? { activity_at: { $lte: at }, $or: [{ activity_at: { $lt: at } }, { _id: { $lt: after.id } }] } : {}),
      });
      const inOrder = { $sort: { activity_at: -1, _id: -1 } };
      return { collection, stages: [...stages, inOrder, ...(limit === undefined ? [] : [{ $limit: limit }])] };
    },
    activeSince: (user_ids, at) => matching({ user_ids, activity_at: { $gte: at } }),
    changedSince: (user_ids, since) => matching({ user_ids, changed_at: { $gte: since } }),
    among: (user_ids, ids) => (ids.length === 0 ? [] : [matching({ _id: { $in: [...ids] }, user_ids })]),
  };
}
