/** Which of a user's conversations `sync` lists with `since`. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import { ONE_BATCH } from './one-batch.ts';
import type { Outline } from './outline.ts';
import type { Outlines } from './outlines.ts';

export interface ChangedOutlinesOptions {
  collections: Pick<Collections, 'memberships' | 'users'>;
  outlines: Outlines;
}

/**
 * The conversations of a user in which anything changed since a time, in outline: messages, marks of anyone, the user's
 * own settings, the group, the peer's profile.
 * @param groups all groups of the user
 */
export type ChangedOutlines = (
  userId: ObjectId,
  since: Date,
  groups: Outline[],
) => Promise<{ groups: Outline[]; pairs: Outline[] }>;

export function createChangedOutlines({ collections, outlines }: ChangedOutlinesOptions): ChangedOutlines {
  const { memberships, users } = collections;

  /** The ids of pairs in which the user's own view changed, or the peer's profile. One look-up serves both. */
  async function readChangedPairs(userId: ObjectId, since: Date): Promise<string[]> {
    const stays = await memberships
      .find(
        { user_id: userId, kind: 'direct' },
        { projection: { _id: 0, conversation_id: 1, peer_id: 1, changed_at: 1 }, batchSize: ONE_BATCH },
      )
      .toArray();
    const peerIds = stays.flatMap(({ peer_id }) => peer_id ?? []);
    const found = await users
      .find({ _id: { $in: peerIds }, updated_at: { $gte: since } }, { projection: { _id: 1 }, batchSize: ONE_BATCH })
      .toArray();
    const changedPeers = new Set(found.map(({ _id }) => _id.toHexString()));
    return stays.flatMap(({ conversation_id, peer_id, changed_at }) =>
      changed_at >= since || (peer_id && changedPeers.has(peer_id.toHexString())) ? [conversation_id] : [],
    );
  }

  /** The ids of the user's pairs, and of these groups, in which marks of anyone grew. */
  async function readMarked(userId: ObjectId, groupIds: string[], since: Date): Promise<string[]> {
    const marks_at = { $gte: since };
    const found = await memberships
      .aggregate<{ _id: string }>(
        [
          {
            $match: {
              $or: [
                { peer_id: userId, marks_at },
                { conversation_id: { $in: groupIds }, marks_at },
              ],
            },
          },
          { $project: { _id: 0, conversation_id: 1 } },
          { $group: { _id: '$conversation_id' } },
        ],
        { batchSize: ONE_BATCH },
      )
      .toArray();
    return found.map(({ _id }) => _id);
  }

  return async (userId, since, groups) => {
    const isChanged = ({ summary, membership, groupChangedAt }: Outline) =>
      [summary.changed_at, membership?.changed_at, groupChangedAt].some((at) => at && at >= since);
    const unchanged = groups.filter((group) => !isChanged(group)).map(({ id }) => id);
    const [pairs, changedPairs, marked] = await Promise.all([
      outlines.ofPairsChangedSince(userId, since),
      readChangedPairs(userId, since),
      readMarked(userId, unchanged, since),
    ]);
    const markedIds = new Set(marked);
    const known = new Set([...pairs, ...groups].map(({ id }) => id));
    const others = [...new Set([...changedPairs, ...marked])].filter((id) => !known.has(id));
    return {
      groups: groups.filter((group) => isChanged(group) || markedIds.has(group.id)),
      pairs: [...pairs, ...(await outlines.ofPairsAmong(userId, others))],
    };
  };
}
