/** Who may do what in which conversation: the one place where targets, blocks and memberships are looked up. */
import DataLoader from 'dataloader';
import type { ObjectId } from 'mongodb';
import type { Target } from '../../shared/contract/values.ts';
import type { Collections } from '../database/collections.ts';
import type { MessageDocument, UserDocument } from '../database/documents.ts';
import { fromId } from '../database/wire.ts';
import { forbidden, invalid, notFound } from '../errors.ts';
import type { ConversationRef } from '../fanout/operations.ts';
import { groupRef, pairId, pairRef, refOf } from './conversation-ref.ts';

/** A user's way into a conversation. */
export interface Access {
  conversation: ConversationRef;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
  /** In a pair: whether one of the two blocks the other. */
  blocked: boolean;
  /** In a pair: whether the other one's account is active. */
  peerActive: boolean;
  /** In a group: whether the user is an admin. */
  isAdmin: boolean;
}

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

/** @throws ContractError `forbidden` where a block stands between the two */
export function refuseBlocked(access: Access): void {
  if (access.blocked) throw forbidden('nothing passes between the two of you');
}

/**
 * @param collections the collections of the database
 * @param historyAll whether new members see a group's history from before their joining
 */
export function createAccess(collections: Collections, historyAll: boolean): AccessRules {
  const { users, contacts, groups, memberships } = collections;
  // What concurrent commands ask goes to the database as one query; nothing is remembered.
  const options = { cache: false, maxBatchSize: 200, batchScheduleFn: (run: () => void) => setImmediate(run) };

  const userById = new DataLoader<string, Pick<UserDocument, '_id' | 'is_active'> | undefined>(async (ids) => {
    const found = await users
      .find({ _id: { $in: [...new Set(ids)].map(fromId) } }, { projection: { is_active: 1 } })
      .toArray();
    const byId = new Map(found.map((user) => [user._id.toHexString(), user]));
    return ids.map((id) => byId.get(id));
  }, options);

  const blockInPair = new DataLoader<string, boolean>(async (pairs) => {
    const found = await contacts
      .find({ pair: { $in: [...new Set(pairs)] }, status: 'blocked' }, { projection: { _id: 0, pair: 1 } })
      .toArray();
    const blocked = new Set(found.map((contact) => contact.pair));
    return pairs.map((pair) => blocked.has(pair));
  }, options);

  async function enterPair(userId: string, peerId: string): Promise<Access | undefined> {
    const [peer, blocked] = await Promise.all([userById.load(peerId), blockInPair.load(pairId(userId, peerId))]);
    if (!peer) return undefined;
    const conversation = pairRef(userId, peerId);
    return { conversation, fromSeq: 0, blocked, peerActive: peer.is_active, isAdmin: false };
  }

  async function enterGroup(userId: string, groupId: string): Promise<Access | undefined> {
    const user = fromId(userId);
    const [group, membership] = await Promise.all([
      groups.findOne({ _id: fromId(groupId), members: user, is_active: true }, { projection: { admins: 1 } }),
      memberships.findOne({ user_id: user, conversation_id: groupId }, { projection: { from_seq: 1 } }),
    ]);
    if (!group) return undefined;
    return {
      conversation: groupRef(groupId),
      // Without the document the joining is not finished: nothing is visible yet.
      fromSeq: historyAll ? 0 : (membership?.from_seq ?? Number.MAX_SAFE_INTEGER),
      blocked: false,
      peerActive: true,
      isAdmin: group.admins.some((admin: ObjectId) => admin.equals(user)),
    };
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
    isBlocked: (one, other) => blockInPair.load(pairId(one, other)),
  };
}
