/** Reads a user's conversations in outline: few small documents, so that those not listed cost next to nothing. */
import type { Filter, ObjectId } from 'mongodb';
import type { Visibility } from '../conversations/visibility.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import { comparePositions, type ListPosition } from './list-position.ts';
import { ONE_BATCH } from './one-batch.ts';
import { type GroupOutline, type Outline, outlineOfGroup, outlineOfPair } from './outline.ts';

export interface Outlines {
  /** All groups that the user is in, newest activity first. */
  ofGroups(userId: ObjectId): Promise<Outline[]>;
  /** The user's pairs, newest activity first. Pairs in which nothing was ever written come last. */
  ofPairs(userId: ObjectId, range?: PairRange): Promise<Outline[]>;
  /** Those of the user's pairs in which anything was written, or a message changed, since a time; in any order. */
  ofPairsChangedSince(userId: ObjectId, since: Date): Promise<Outline[]>;
  /** Those of the ids that are pairs of the user, in any order. */
  ofPairsAmong(userId: ObjectId, ids: string[]): Promise<Outline[]>;
}

/** Which of a user's pairs are read, in the order of their activity; all without a word. */
export interface PairRange {
  /** Those behind this position. */
  after?: ListPosition | undefined;
  /** Those active since. */
  since?: Date;
  /** So many at most. */
  limit?: number;
}

export interface OutlinesOptions {
  collections: Pick<Collections, 'conversations' | 'memberships' | 'groups'>;
  visibility: Visibility;
}

export function createOutlines({ collections, visibility }: OutlinesOptions): Outlines {
  const { conversations, memberships, groups } = collections;

  async function readPairs(filter: Filter<ConversationDocument>): Promise<Outline[]> {
    const summaries = await conversations.find(filter, { batchSize: ONE_BATCH }).toArray();
    return summaries.map(outlineOfPair);
  }

  return {
    async ofGroups(userId) {
      // The group's document alone says who is in it.
      const found = await groups
        .find<GroupOutline>(
          { members: userId, is_active: true },
          { projection: { created_at: 1, updated_at: 1 }, batchSize: ONE_BATCH },
        )
        .toArray();
      if (found.length === 0) return [];
      const ids = found.map(({ _id }) => _id.toHexString());
      const [stays, summaries] = await Promise.all([
        memberships.find({ user_id: userId, conversation_id: { $in: ids } }, { batchSize: ONE_BATCH }).toArray(),
        conversations.find({ _id: { $in: ids } }, { batchSize: ONE_BATCH }).toArray(),
      ]);
      const stayOf = new Map(stays.map((stay) => [stay.conversation_id, stay]));
      const summaryOf = new Map(summaries.map((summary) => [summary._id, summary]));
      return found
        .flatMap((group, i) => {
          const stay = stayOf.get(ids[i]!);
          return stay ? [outlineOfGroup(group, stay, visibility.fromSeq(stay), summaryOf.get(ids[i]!))] : [];
        })
        .sort(comparePositions);
    },
    async ofPairs(userId, { after, since, limit } = {}) {
      const at = after && new Date(after.at);
      const activity_at = { ...(at ? { $lte: at } : {}), ...(since ? { $gte: since } : {}) };
      const found = conversations
        .find({
          user_ids: userId,
          ...(at || since ? { activity_at } : {}),
          ...(at ? { $or: [{ activity_at: { $lt: at } }, { _id: { $lt: after.id } }] } : {}),
        })
        .sort({ activity_at: -1, _id: -1 })
        .batchSize((limit ?? ONE_BATCH) + 1);
      return (await (limit === undefined ? found : found.limit(limit)).toArray()).map(outlineOfPair);
    },
    ofPairsChangedSince: (userId, since) => readPairs({ user_ids: userId, changed_at: { $gte: since } }),
    async ofPairsAmong(userId, ids) {
      if (ids.length === 0) return [];
      return readPairs({ _id: { $in: ids }, user_ids: userId });
    },
  };
}
