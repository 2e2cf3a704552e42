import type { Handler } from '../dispatch/handlers.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { AnnounceGroup } from './announcement.ts';
import { changeGroup } from './change.ts';
import { withoutMember } from './departure.ts';
import { findGroup } from './find-group.ts';
import type { FollowUp } from './follow-up.ts';
import { deactivatedAmong, includes } from './members.ts';

export interface LeaveGroupOptions {
  outbox: OutboxSource<GroupDocument>;
  collections: Pick<Collections, 'groups' | 'users'>;
  announce: AnnounceGroup;
  followUp: FollowUp;
  clock(): Date;
}

/** `group:leave`: the last admin hands over to the longest-standing member, and an empty group becomes inactive. */
export function createLeaveGroup(options: LeaveGroupOptions): Handler<'group:leave'> {
  const { collections, outbox, announce, followUp, clock } = options;
  const { groups } = collections;

  return async (caller, { group_id }) => {
    const groupId = fromId(group_id);
    const at = clock();
    const { group } = await changeGroup(
      outbox,
      () => findGroup(groups, caller, groupId),
      async ({ members, admins }) => {
        const isAdmin = includes(admins, caller.userId);
        const deactivated = isAdmin ? await deactivatedAmong(collections, members) : [];
        return {
          guard: { members: caller.userId, admins: isAdmin ? caller.userId : { $ne: caller.userId } },
          update: withoutMember(caller.userId, at, deactivated),
          news: { reason: 'member_left', actor_id: caller.userId, user_ids: [caller.userId] },
        };
      },
    );
    const left = announce(caller, group, { reason: 'member_left', userIds: [caller.id], directly: [caller.id] });
    await followUp.leftByThemselves(group, caller.userId, at);
    return { group: left };
  };
}
