/** What the access rules look up: accounts, blocks, groups. Concurrent look-ups share one query. */
import type { Filter, ObjectId } from 'mongodb';
import { batched } from '../lib/group-commit.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { pairId } from '../model/conversation-ref.ts';
import type { ContactDocument } from '../model/documents/contacts.ts';
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
  group: Pick<GroupDocument, 'admins' | 'permissions' | 'slow_mode_s'>;
  /** Undefined while the user is still joining. */
  membership: Pick<MembershipDocument, 'from_seq'> | undefined;
}

/** The fields of a group that say what its members may do. */
const RIGHTS = { admins: 1, permissions: 1, slow_mode_s: 1 };

/** One line of the joint query: an account, or a block. */
type Found = { account: ObjectId; is_active: boolean } | Block;

type Block = Pick<ContactDocument, 'user_id' | 'contact_id'>;

/** @param collections the collections of the database */
export function createAccessLookups({ users, contacts, groups, memberships }: Collections): AccessLookups {
  /** Accounts and blocks together, by one query. */
  async function findPairs(asked: readonly PairQuestion[]): Promise<PairAnswer[]> {
    const peerIds = [...new Set(asked.map(({ peerId }) => peerId))];
    const pairIds = [...new Set(asked.map(({ pairId }) => pairId))];
    const blocks = [{ $match: blocksAmong(pairIds) }, { $project: { _id: 0, user_id: 1, contact_id: 1 } }];
    const found = await users
      .aggregate<Found>(
        [
          { $match: { _id: { $in: peerIds.map(fromId) } } },
          { $project: { _id: 0, account: '$_id', is_active: 1 } },
          { $unionWith: { coll: contacts.collectionName, pipeline: blocks } },
        ],
        { batchSize: ONE_REPLY },
      )
      .toArray();
    const active = new Map(
      found.flatMap((one) => ('account' in one ? [[one.account.toHexString(), one.is_active]] : [])),
    );
    const blocked = new Set(found.flatMap((one) => ('account' in one ? [] : pairOf(one))));
    return asked.map(({ peerId, pairId }) => ({ peerActive: active.get(peerId), blocked: blocked.has(pairId) }));
  }

  async function findBlocks(pairIds: readonly string[]): Promise<boolean[]> {
    const found = await contacts
      .find<Block>(blocksAmong([...new Set(pairIds)]), {
        projection: { _id: 0, user_id: 1, contact_id: 1 },
        batchSize: ONE_REPLY,
      })
      .toArray();
    const blocked = new Set(found.map(pairOf));
    return pairIds.map((pairId) => blocked.has(pairId));
  }

  return {
    pair: batched('pairs', findPairs),
    isBlocked: batched('blocks', findBlocks),
    async group(user, groupId) {
      const [group, membership] = await Promise.all([
        groups.findOne({ _id: fromId(groupId), members: user, is_active: true }, { projection: RIGHTS }),
        memberships.findOne({ user_id: user, conversation_id: groupId }, { projection: { from_seq: 1 } }),
      ]);
      return group ? { group, membership: membership ?? undefined } : undefined;
    },
  };
}

/**
 * Blocks between users of these pairs, by their owners: one step in an index for each user, and one for each block.
 * Blocks between users of different pairs are found too.
 */
function blocksAmong(pairIds: readonly string[]): Filter<ContactDocument> {
  const users = [...new Set(pairIds.flatMap((id) => id.split('-')))].map(fromId);
  return { user_id: { $in: users }, status: 'blocked', contact_id: { $in: users } };
}

const pairOf = ({ user_id, contact_id }: Block) => pairId(user_id.toHexString(), contact_id.toHexString());
