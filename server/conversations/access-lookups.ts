/** What the access rules look up: accounts, blocks, groups. Concurrent look-ups share one query. */
import type { ObjectId } from 'mongodb';
import { batched } from '../lib/group-commit.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupDocument } from '../model/documents/groups.ts';

/** Documents per reply of the store: enough for a whole batch, so that it takes one round trip. */
const ONE_REPLY = 1000;

export interface AccessLookups {
  /** The other user of a pair and whether a block lies between the two. */
  pair(asked: PairQuestion): Promise<PairAnswer>;
  /** An active group that the user is in, and the user's membership; undefined where there is no such group. */
  group(user: ObjectId, groupId: string): Promise<GroupAnswer | undefined>;
  /** Whether either user of a pair blocks the other. */
  isBlocked(pairId: string): Promise<boolean>;
}

export interface PairQuestion {
  pairId: string;
  peerId: string;
}

export interface PairAnswer {
  /** Undefined where there is no such user. */
  peerActive: boolean | undefined;
  blocked: boolean;
}

export interface GroupAnswer {
  group: Pick<GroupDocument, 'admins'>;
  /** Undefined while the user is still joining. */
  membership: Pick<MembershipDocument, 'from_seq'> | undefined;
}

/** One line of the joint query: an account, or a pair with a block. */
interface Found {
  user_id?: ObjectId;
  is_active?: boolean;
  blocked_pair?: string;
}

/** @param collections the collections of the database */
export function createAccessLookups({ users, contacts, groups, memberships }: Collections): AccessLookups {
  /** Accounts and blocks together, by one query. */
  async function findPairs(asked: readonly PairQuestion[]): Promise<PairAnswer[]> {
    const peerIds = [...new Set(asked.map(({ peerId }) => peerId))];
    const pairIds = [...new Set(asked.map(({ pairId }) => pairId))];
    const blocks = [
      { $match: { pair: { $in: pairIds }, status: 'blocked' } },
      { $project: { _id: 0, blocked_pair: '$pair' } },
    ];
    const found = await users
      .aggregate<Found>(
        [
          { $match: { _id: { $in: peerIds.map(fromId) } } },
          { $project: { _id: 0, user_id: '$_id', is_active: 1 } },
          { $unionWith: { coll: contacts.collectionName, pipeline: blocks } },
        ],
        { batchSize: ONE_REPLY },
      )
      .toArray();
    const active = new Map(
      found.flatMap(({ user_id, is_active }) => (user_id ? [[user_id.toHexString(), is_active]] : [])),
    );
    const blocked = new Set(found.map(({ blocked_pair }) => blocked_pair));
    return asked.map(({ peerId, pairId }) => ({ peerActive: active.get(peerId), blocked: blocked.has(pairId) }));
  }

  async function findBlocks(pairIds: readonly string[]): Promise<boolean[]> {
    const found = await contacts
      .find({ pair: { $in: [...new Set(pairIds)] }, status: 'blocked' }, { projection: { _id: 0, pair: 1 } })
      .toArray();
    const blocked = new Set(found.map(({ pair }) => pair));
    return pairIds.map((pairId) => blocked.has(pairId));
  }

  return {
    pair: batched(findPairs),
    isBlocked: batched(findBlocks),
    async group(user, groupId) {
      const [group, membership] = await Promise.all([
        groups.findOne({ _id: fromId(groupId), members: user, is_active: true }, { projection: { admins: 1 } }),
        memberships.findOne({ user_id: user, conversation_id: groupId }, { projection: { from_seq: 1 } }),
      ]);
      return group ? { group, membership: membership ?? undefined } : undefined;
    },
  };
}
