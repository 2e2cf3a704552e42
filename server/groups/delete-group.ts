import type { Handler } from '../dispatch/handlers.ts';
import { forbidden } from '../lib/errors.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { AnnounceGroup } from './announcement.ts';
import { changeGroup } from './change.ts';
import { findGroup } from './find-group.ts';
import type { FollowUp } from './follow-up.ts';
import type { JoinRequests } from './invitations/join-requests.ts';

export interface DeleteGroupOptions {
  outbox: OutboxSource<GroupDocument>;
  collections: Pick<Collections, 'groups'>;
  announce: AnnounceGroup;
  followUp: FollowUp;
  requests: Pick<JoinRequests, 'endAll'>;
  clock(): Date;
}

/** `group:delete`: for the creator. The group becomes inactive, and nobody finds it any more. */
export function createDeleteGroup(options: DeleteGroupOptions): Handler<'group:delete'> {
  const { outbox, announce, followUp, requests, clock } = options;
  const { groups } = options.collections;

  return async (caller, { group_id }) => {
    const groupId = fromId(group_id);
    const at = clock();
    const { group } = await changeGroup(
      outbox,
      () => findGroup(groups, caller, groupId),
      ({ creator_id }) => {
        if (!creator_id.equals(caller.userId)) throw forbidden('only its creator may delete a group');
        return {
          guard: { members: caller.userId },
          update: {
            $set: { is_active: false },
            $unset: { invites: true, invite_keys: true },
            $max: { updated_at: at },
          },
          news: { reason: 'deleted', actor_id: caller.userId },
        };
      },
    );
    const deleted = announce(caller, group, { reason: 'deleted', directly: toWire(group.members) });
    await Promise.all([followUp.left(group, group.members, at), requests.endAll(groupId)]);
    return { group: deleted };
  };
}
