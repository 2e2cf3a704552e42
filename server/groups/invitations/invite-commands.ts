/** `group:invite`, `group:invites` and `group:revoke_invite`: for those who may add members (PROTOCOL section 16). */
import { ObjectId } from 'mongodb';
import type { HandlersOf } from '../../dispatch/handlers.ts';
import { conflict } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { GroupDocument, StoredInvite } from '../../model/documents/groups.ts';
import { stillPermitted } from '../../model/permissions.ts';
import type { OutboxSource } from '../../outbox/outbox.ts';
import { changeGroup } from '../change.ts';
import { findGroupPermitting } from '../find-group.ts';
import { includes } from '../members.ts';
import { noSuchInvite } from './find-invited.ts';
import { isOpen, keyOf, newCode, toWireInvite, withoutInvites } from './invites.ts';

/** Open invitations of one group. */
export const MAX_INVITES = 100;
/** The last key when there are as many invitations as there may be: each has two keys. */
const LAST_KEY = `invite_keys.${2 * MAX_INVITES - 1}`;

export interface InviteOptions {
  outbox: OutboxSource<GroupDocument>;
  collections: Pick<Collections, 'groups'>;
  /** Where browsers reach the server, if that is known. */
  publicUrl: string | undefined;
  clock(): Date;
}

export function createInviteCommands({
  collections: { groups },
  outbox,
  publicUrl,
  clock,
}: InviteOptions): Pick<HandlersOf<'group'>, 'group:invite' | 'group:invites' | 'group:revoke_invite'> {
  /** Removes invitations that are over, if there is no room: until then they tell members that they are in already. */
  async function makeRoom({ _id, invites = {} }: GroupDocument): Promise<void> {
    const now = clock();
    const all = Object.entries(invites);
    if (all.length < MAX_INVITES) return;
    const over = all.filter(([, invite]) => !isOpen(invite, now));
    if (over.length === 0) throw conflict(`a group has at most ${MAX_INVITES} open invitations`);
    await outbox.change({ _id }, withoutInvites(over), undefined);
  }

  return {
    async 'group:invite'(caller, { group_id, expires_in_s, max_uses, approval = false }) {
      const inviteId = new ObjectId().toHexString();
      const now = clock();
      const invite: StoredInvite = {
        code: newCode(),
        created_by: caller.userId,
        created_at: now,
        ...(expires_in_s === undefined ? {} : { expires_at: new Date(now.getTime() + expires_in_s * 1000) }),
        ...(max_uses === undefined ? {} : { max_uses }),
        uses: 0,
        approval,
      };
      await changeGroup(
        outbox,
        () => findGroupPermitting(groups, caller, fromId(group_id), 'add_members'),
        async (group) => {
          await makeRoom(group);
          return {
            guard: { ...stillPermitted(group, caller.userId, 'add_members'), [LAST_KEY]: { $exists: false } },
            update: {
              $set: { [`invites.${inviteId}`]: invite },
              $push: { invite_keys: { $each: [inviteId, keyOf(invite.code)] } },
            },
          };
        },
      );
      return { invite: toWireInvite(inviteId, invite, publicUrl) };
    },

    async 'group:invites'(caller, { group_id }) {
      const { invites = {} } = await findGroupPermitting(groups, caller, fromId(group_id), 'add_members');
      const now = clock();
      const open = Object.entries(invites).filter(([, invite]) => isOpen(invite, now));
      open.sort(([, one], [, other]) => one.created_at.getTime() - other.created_at.getTime());
      return { invites: open.map(([id, invite]) => toWireInvite(id, invite, publicUrl)) };
    },

    async 'group:revoke_invite'(caller, { invite_id }) {
      const found = await groups.findOne({ invite_keys: invite_id, is_active: true }, { projection: { members: 1 } });
      if (!found || !includes(found.members, caller.userId)) throw noSuchInvite();
      await changeGroup(
        outbox,
        () => findGroupPermitting(groups, caller, found._id, 'add_members'),
        (group) => {
          const invite = group.invites?.[invite_id];
          if (!invite || !isOpen(invite, clock())) throw noSuchInvite();
          return {
            guard: { ...stillPermitted(group, caller.userId, 'add_members'), invite_keys: invite_id },
            update: withoutInvites([[invite_id, invite]]),
          };
        },
      );
      return {};
    },
  };
}
