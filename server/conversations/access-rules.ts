/** Who may do what in which conversation: the one place where targets, blocks and memberships are looked up. */
import type { ObjectId } from 'mongodb';
import type { Target } from '../../shared/contract/values.ts';
import type { Collections } from '../model/collections.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { fromId } from '../model/codec.ts';
import { invalid, notFound } from '../lib/errors.ts';
import type { Access } from './access.ts';
import { type AccessMemory, NO_MEMORY } from './access-memory.ts';
import { groupRef, pairId, pairRef, refOf } from '../model/conversation-ref.ts';
import { batched } from '../lib/group-commit.ts';
import type { Visibility } from './visibility.ts';

/** One answer of the store holds what one batch asks for. */
const ONE_BATCH = 1000;

export interface AccessRules {
  /**
   * The way of a user into a target.
   * @throws ContractError `validation_failed` for oneself, `not_found` for an unknown user or a group that the user is not in
   */
  enter(userId: string, target: Target): Promise<Access>;
  /** The same by a message: undefined when the user cannot see it. */
  enterByMessage(userId: string, message: MessageDocument): Promise<Access | undefined>;
  /** Whether one of two users blocks the other. */
  isBlocked(one: string, other: string): Promise<boolean>;
}

/** What a look-up of pairs gives: an active or deactivated user, or a pair in which somebody blocks the other. */
interface Found {
  user_id?: ObjectId;
  is_active?: boolean;
  blocked_pair?: string;
}

/**
 * @param collections the collections of the database
 * @param memory what may be remembered between commands
 */
export function createAccessRules(
  { users, contacts, groups, memberships }: Collections,
  visibility: Visibility,
  memory: AccessMemory = NO_MEMORY,
): AccessRules {
  /** Peers and blocks of all who ask at once, in one query. */
  const findPair = batched(async (asked: readonly { peerId: string; pair: string }[]) => {
    const peerIds = [...new Set(asked.map(({ peerId }) => peerId))];
    const pairs = [...new Set(asked.map(({ pair }) => pair))];
    const found = await users
      .aggregate<Found>(
        [
          { $match: { _id: { $in: peerIds.map(fromId) } } },
          { $project: { _id: 0, user_id: '$_id', is_active: 1 } },
          {
            $unionWith: {
              coll: contacts.collectionName,
              pipeline: [
                { $match: { pair: { $in: pairs }, status: 'blocked' } },
                { $project: { _id: 0, blocked_pair: '$pair' } },
              ],
            },
          },
        ],
        { batchSize: ONE_BATCH },
      )
      .toArray();
    const active = new Map(
      found.flatMap(({ user_id, is_active }) => (user_id ? [[user_id.toHexString(), is_active]] : [])),
    );
    const blocked = new Set(found.map(({ blocked_pair }) => blocked_pair));
    return asked.map(({ peerId, pair }) => ({ peerActive: active.get(peerId), blocked: blocked.has(pair) }));
  });

  const isBlocked = batched(async (pairs: readonly string[]) => {
    const found = await contacts
      .find({ pair: { $in: [...new Set(pairs)] }, status: 'blocked' }, { projection: { _id: 0, pair: 1 } })
      .toArray();
    const blocked = new Set(found.map((contact) => contact.pair));
    return pairs.map((pair) => blocked.has(pair));
  });

  function enterPair(userId: string, peerId: string): Promise<Access | undefined> {
    const conversation = pairRef(userId, peerId);
    return memory.recall(conversation.id, userId, async () => {
      const { peerActive, blocked } = await findPair({ peerId, pair: conversation.id });
      if (peerActive === undefined) return undefined;
      return { conversation, fromSeq: 0, blocked, peerActive, isAdmin: false };
    });
  }

  function enterGroup(userId: string, groupId: string): Promise<Access | undefined> {
    return memory.recall(groupId, userId, async () => {
      const user = fromId(userId);
      const [group, membership] = await Promise.all([
        groups.findOne({ _id: fromId(groupId), members: user, is_active: true }, { projection: { admins: 1 } }),
        memberships.findOne({ user_id: user, conversation_id: groupId }, { projection: { from_seq: 1 } }),
      ]);
      if (!group) return undefined;
      return {
        conversation: groupRef(groupId),
        fromSeq: visibility.fromSeq(membership ?? undefined),
        blocked: false,
        peerActive: true,
        isAdmin: group.admins.some((admin: ObjectId) => admin.equals(user)),
      };
    });
  }

  return {
    async enter(userId, { recipient_id, group_id }) {
      if (recipient_id === userId) throw invalid('recipient_id', 'must NOT be oneself');
      const access = recipient_id ? await enterPair(userId, recipient_id) : await enterGroup(userId, group_id!);
      if (!access) throw notFound(recipient_id ? 'no such user' : 'no such group');
      return access;
    },
    async enterByMessage(userId, message) {
      const conversation = refOf(message);
      if (conversation.kind === 'direct') {
        const [one, other] = conversation.user_ids;
        if (one !== userId && other !== userId) return undefined;
        return enterPair(userId, one === userId ? other : one);
      }
      const access = await enterGroup(userId, conversation.group_id);
      return access && message.seq > access.fromSeq ? access : undefined;
    },
    isBlocked: (one, other) => isBlocked(pairId(one, other)),
  };
}
