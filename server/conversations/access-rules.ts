/**
 * The rules of access to conversations:
 *
 * - A pair is open to its two users, as long as the other one has an account. A block or a deactivated account leaves
 *   the history readable; each command decides what else it allows (`access.ts`).
 * - A group is open to its members while it is active. To everyone else it does not exist. What members may do there is
 *   up to its permissions.
 * - A message is reachable through its conversation, by those who may see it.
 */
import type { Target } from '../../shared/contract/values.ts';
import { invalid, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { groupRef, pairId, pairRef, refOf } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { isAdminOf, isPermitted } from '../model/permissions.ts';
import { type Access, permitsBy } from './access.ts';
import { createAccessLookups } from './access-lookups.ts';
import type { LookupCache } from './lookup-cache.ts';
import { isVisible, type Visibility } from './visibility.ts';

export interface AccessRules {
  /**
   * A user's access to the conversation with a target.
   * @throws ContractError `validation_failed` for oneself, `not_found` for an unknown user or a group the user is not in
   */
  enter(userId: string, target: Target): Promise<Access>;
  /** A user's access to a message's conversation; undefined where the user may not see the message. */
  enterByMessage(userId: string, message: MessageDocument): Promise<Access | undefined>;
  /** Whether either of two users blocks the other. */
  isBlocked(one: string, other: string): Promise<boolean>;
}

const IN_A_PAIR = { isAdmin: false, permits: permitsBy(() => true), slowModeS: 0 };

/** @param lookups caches decisions between commands */
export function createAccessRules(
  collections: Collections,
  visibility: Visibility,
  lookups: Pick<LookupCache, 'recall'>,
): AccessRules {
  const find = createAccessLookups(collections);

  function enterPair(userId: string, peerId: string): Promise<Access | undefined> {
    const conversation = pairRef(userId, peerId);
    return lookups.recall(conversation.id, userId, async () => {
      const { peerActive, blocked } = await find.pair({ pairId: conversation.id, peerId });
      if (peerActive === undefined) return undefined;
      return { conversation, fromSeq: 0, blocked, peerActive, ...IN_A_PAIR };
    });
  }

  function enterGroup(userId: string, groupId: string): Promise<Access | undefined> {
    return lookups.recall(groupId, userId, async () => {
      const user = fromId(userId);
      const found = await find.group(user, groupId);
      if (!found) return undefined;
      const { group, membership } = found;
      const isAdmin = isAdminOf(group, user);
      return {
        conversation: groupRef(groupId),
        fromSeq: visibility.fromSeq(membership),
        blocked: false,
        peerActive: true,
        isAdmin,
        permits: permitsBy((action) => isPermitted(group, user, action)),
        slowModeS: isAdmin ? 0 : (group.slow_mode_s ?? 0),
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
      return access && isVisible(message, access.fromSeq) ? access : undefined;
    },
    isBlocked: (one, other) => find.isBlocked(pairId(one, other)),
  };
}
