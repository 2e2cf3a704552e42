/** Which of a user's conversations `sync` lists with `since`. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument, MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupOutlines } from './group-outlines.ts';
import { type Outline, outlineOfPair } from './outline.ts';
import type { PairParts } from './pair-parts.ts';
import { having, type Part, readTogether } from './read-together.ts';

export interface ChangedOutlinesOptions {
  collections: Pick<Collections, 'memberships' | 'users'>;
  groupOutlines: GroupOutlines;
  pairParts: PairParts;
}

export interface ChangedConversations {
  /** All groups that the user is in. */
  allGroups: Outline[];
  /** In any order. */
  changed: Outline[];
  /** Those of the named ids that are pairs of the user. */
  named: Outline[];
}

/**
 * Reads in outline, by three commands, the conversations of a user in which anything changed since a time: messages,
 * marks of anyone, the user's own settings, the group, the peer's profile.
 * @param named the ids of pairs that are read whether they changed or not
 */
export type ReadChanged = (userId: ObjectId, since: Date, named: readonly string[]) => Promise<ChangedConversations>;

/** A pair as its user's own membership tells of it. */
type PairStay = Required<Pick<MembershipDocument, 'conversation_id' | 'peer_id' | 'changed_at'>>;
/** The id of a conversation in which marks grew. */
interface Marked {
  marked: string;
}

export function createReadChanged({ collections, groupOutlines, pairParts }: ChangedOutlinesOptions): ReadChanged {
  const { memberships, users } = collections;

  const pairStays = (user_id: ObjectId): Part => ({
    collection: memberships,
    stages: [
      { $match: { user_id, kind: 'direct' } },
      { $project: { _id: 0, conversation_id: 1, peer_id: 1, changed_at: 1 } },
    ],
  });
  const markedPairs = (peer_id: ObjectId, since: Date): Part => ({
    collection: memberships,
    stages: [{ $match: { peer_id, marks_at: { $gte: since } } }, { $project: { _id: 0, marked: '$conversation_id' } }],
  });
  const markedGroups = (ids: string[], since: Date): Part => ({
    collection: memberships,
    stages: [
      { $match: { conversation_id: { $in: ids }, marks_at: { $gte: since } } },
      { $project: { _id: 0, conversation_id: 1 } },
      { $group: { _id: '$conversation_id' } },
      { $project: { _id: 0, marked: '$_id' } },
    ],
  });
  const changedPeers = (stays: PairStay[], since: Date): Part => ({
    collection: users,
    stages: [
      { $match: { _id: { $in: stays.map(({ peer_id }) => peer_id) }, updated_at: { $gte: since } } },
      { $project: { _id: 0, changed_peer: '$_id' } },
    ],
  });

  return async (userId, since, named) => {
    const { found, outline } = await groupOutlines.find<ConversationDocument | PairStay | Marked>(userId, [
      pairParts.changedSince(userId, since),
      ...pairParts.among(userId, named),
      pairStays(userId),
      markedPairs(userId, since),
    ]);
    const stays = having(found, 'peer_id');
    const { groups, found: peers } = await outline<{ changed_peer: ObjectId }>(
      stays.length > 0 ? [changedPeers(stays, since)] : [],
    );
    const peerIds = new Set(having(peers, 'changed_peer').map(({ changed_peer }) => changed_peer.toHexString()));
    const pairs = having(found, 'last_seq').map(outlineOfPair);
    const known = new Map([...pairs, ...groups].map((one) => [one.id, one]));
    const changed = new Set([
      ...[...known.values()].filter((one) => isChangedSince(one, since)).map(({ id }) => id),
      ...stays
        .filter(({ changed_at, peer_id }) => changed_at >= since || peerIds.has(peer_id.toHexString()))
        .map(({ conversation_id }) => conversation_id),
      ...having(found, 'marked').map(({ marked }) => marked),
    ]);

    const unchanged = groups.filter(({ id }) => !changed.has(id)).map(({ id }) => id);
    const others = [...changed].filter((id) => !known.has(id));
    const rest = await readTogether<ConversationDocument | Marked>([
      ...(unchanged.length > 0 ? [markedGroups(unchanged, since)] : []),
      ...pairParts.among(userId, others),
    ]);
    for (const summary of having(rest, 'last_seq')) known.set(summary._id, outlineOfPair(summary));
    for (const { marked } of having(rest, 'marked')) changed.add(marked);
    return {
      allGroups: groups,
      changed: [...known.values()].filter(({ id }) => changed.has(id)),
      named: named.flatMap((id) => known.get(id) ?? []),
    };
  };
}

/** Whether the conversation's own documents changed; marks of others and the peer's profile are not among them. */
function isChangedSince({ summary, membership, groupChangedAt }: Outline, since: Date): boolean {
  return [summary.changed_at, membership?.changed_at, groupChangedAt].some((at) => at && at >= since);
}
