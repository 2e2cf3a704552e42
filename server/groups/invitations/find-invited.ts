/** The group that a code leads to, and whether it lets a user in. */
import type { ObjectId } from 'mongodb';
import { notFound } from '../../lib/errors.ts';
import type { Collections } from '../../model/collections.ts';
import type { GroupDocument, StoredInvite } from '../../model/documents/groups.ts';
import { inviteByCode, isBefore, isOpen, keyOf } from './invites.ts';

/** One answer to all codes that lead nowhere: whether they ever did is not told. */
export const noSuchInvite = () => notFound('no such invitation');

export interface Invitations {
  /** @throws ContractError `not_found` for a code of no group, or of one that has ended */
  find(code: string): Promise<{ group: GroupDocument; inviteId: string }>;
  /**
   * @param group as it was read last
   * @throws ContractError `not_found` where an invitation does not let the user in: it is revoked, over, or older than the
   *   user's removal
   */
  assertLetsIn(group: GroupDocument, inviteId: string, user: ObjectId): Promise<StoredInvite>;
}

export function createInvitations(
  { groups, memberships }: Pick<Collections, 'groups' | 'memberships'>,
  clock: () => Date,
): Invitations {
  return {
    async find(code) {
      const group = await groups.findOne({ invite_keys: keyOf(code), is_active: true });
      const found = group && inviteByCode(group, code);
      if (!found) throw noSuchInvite();
      return { group, inviteId: found[0] };
    },
    async assertLetsIn(group, inviteId, user) {
      const invite = group.invites?.[inviteId];
      if (!invite || !isOpen(invite, clock())) throw noSuchInvite();
      // Where an admin has removed nobody since, the user's own removal need not be looked up.
      if (!isBefore(invite, group.removed_at)) return invite;
      const membership = await memberships.findOne(
        { user_id: user, conversation_id: group._id.toHexString() },
        { projection: { removed_at: 1 } },
      );
      if (isBefore(invite, membership?.removed_at)) throw noSuchInvite();
      return invite;
    },
  };
}
