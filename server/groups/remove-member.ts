import type { Handler } from '../dispatch/handlers.ts';
import { notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { AnnounceGroup } from './announcement.ts';
import { changeGroup } from './change.ts';
import { findGroupAsAdmin } from './find-group.ts';
import type { FollowUp } from './follow-up.ts';
import { includes } from './members.ts';
import type { Stays } from './stays.ts';

export interface RemoveMemberOptions {
  outbox: OutboxSource<GroupDocument>;
  collections: Pick<Collections, 'groups'>;
  stays: Pick<Stays, 'removing'>;
  announce: AnnounceGroup;
  followUp: FollowUp;
  /** An admin who removes themselves leaves, so that somebody takes over. */
  leave: Handler<'group:leave'>;
  clock(): Date;
}

/** `group:remove_member`: from this moment on the member receives nothing more, on any node. */
export function createRemoveMember(options: RemoveMemberOptions): Handler<'group:remove_member'> {
  const { outbox, stays, announce, followUp, leave, clock } = options;
  const { groups } = options.collections;

  return async (caller, { group_id, user_id }) => {
    const groupId = fromId(group_id);
    const user = fromId(user_id);
    if (user_id === caller.id) {
      await findGroupAsAdmin(groups, caller, groupId);
      return leave(caller, { group_id });
    }
    const at = clock();
    const { group } = await changeGroup(
      outbox,
      () => findGroupAsAdmin(groups, caller, groupId),
      async ({ members }) => {
        if (!includes(members, user)) throw notFound('no such member');
        // First, so that no moment is left in which an earlier invitation brings the user back.
        await stays.removing(groupId, user, at);
        return {
          guard: { admins: caller.userId, members: user },
          news: { reason: 'member_removed', actor_id: caller.userId, user_ids: [user] },
          update: { $pull: { members: user, admins: user }, $max: { updated_at: at, removed_at: at } },
        };
      },
    );
    const reduced = announce(caller, group, { reason: 'member_removed', userIds: [user_id], directly: [user_id] });
    await followUp.left(group, [user], at);
    return { group: reduced };
  };
}
