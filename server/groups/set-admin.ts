import type { Handler } from '../dispatch/handlers.ts';
import { conflict, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { AnnounceGroup } from './announcement.ts';
import { changeGroup } from './change.ts';
import { findGroupAsAdmin } from './find-group.ts';
import { deactivatedAmong, includes } from './members.ts';

export interface SetAdminOptions {
  outbox: OutboxSource<GroupDocument>;
  collections: Pick<Collections, 'groups' | 'users'>;
  announce: AnnounceGroup;
  clock(): Date;
}

/** `group:set_admin`: gives or takes the role; a group keeps at least one admin whose account is active. */
export function createSetAdmin({ collections, outbox, announce, clock }: SetAdminOptions): Handler<'group:set_admin'> {
  const { groups } = collections;

  return async (caller, { group_id, user_id, is_admin }) => {
    const groupId = fromId(group_id);
    const user = fromId(user_id);
    const { group, changed } = await changeGroup(
      outbox,
      () => findGroupAsAdmin(groups, caller, groupId),
      async ({ members, admins }) => {
        if (!includes(members, user)) throw notFound('no such member');
        if (includes(admins, user) === is_admin) return undefined;
        const $max = { updated_at: clock() };
        const news = { reason: 'admins_changed' as const, actor_id: caller.userId, user_ids: [user] };
        if (is_admin) {
          const guard = { members: user, $and: [{ admins: caller.userId }, { admins: { $ne: user } }] };
          return { guard, update: { $push: { admins: user }, $max }, news };
        }
        const without = [user, ...(await deactivatedAmong(collections, admins))];
        if (admins.every((admin) => includes(without, admin))) throw conflict('a group needs an admin');
        // Somebody else is still an admin by then.
        const guard = { admins: { $all: [caller.userId, user], $elemMatch: { $nin: without } } };
        return { guard, update: { $pull: { admins: user }, $max }, news };
      },
    );
    if (!changed) return { group: toWireGroup(group) };
    return { group: announce(caller, group, { reason: 'admins_changed', userIds: [user_id] }) };
  };
}
