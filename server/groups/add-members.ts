import type { ObjectId } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { groupRef } from '../model/conversation-ref.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { AnnounceGroup } from './announcement.ts';
import { changeGroup } from './change.ts';
import { findGroupAsAdmin } from './find-group.ts';
import type { FollowUp } from './follow-up.ts';
import { assertCanBeAdded, assertWithinLimit, type CandidateOptions } from './members.ts';
import type { Stays } from './stays.ts';

export interface AddMembersOptions extends CandidateOptions {
  collections: Pick<Collections, 'groups' | 'users'>;
  store: Pick<MessageStore, 'newest'>;
  stays: Stays;
  announce: AnnounceGroup;
  followUp: FollowUp;
  maxMembers: number;
  clock(): Date;
}

/** `group:add_members`: adds those who are not members yet, who see the history from here on. */
export function createAddMembers(options: AddMembersOptions): Handler<'group:add_members'> {
  const { collections, store, stays, announce, followUp, maxMembers, clock } = options;
  const { groups } = collections;

  return async (caller, { group_id, user_ids }) => {
    const groupId = fromId(group_id);
    const wanted = [...new Set(user_ids)];
    let added: ObjectId[] = [];
    let fromSeq = 0;
    const { group, changed } = await changeGroup(
      groups,
      () => findGroupAsAdmin(groups, caller, groupId),
      async ({ members }) => {
        const present = new Set(toWire(members));
        added = wanted.filter((userId) => !present.has(userId)).map(fromId);
        if (added.length === 0) return undefined;
        assertWithinLimit(members.length + added.length, maxMembers, 'user_ids');
        await assertCanBeAdded(options, caller, added);
        fromSeq = (await store.newest(groupRef(group_id))).seq;
        // Before the group lets them in: an earlier stay must not reveal what was sent while they were away.
        await stays.open(groupId, added, fromSeq);
        return {
          guard: {
            admins: caller.userId,
            members: { $nin: added },
            // Everyone who is added still fits in.
            [`members.${maxMembers - added.length}`]: { $exists: false },
          },
          update: { $push: { members: { $each: added } }, $max: { updated_at: clock() } },
        };
      },
    );
    if (!changed) return { group: toWireGroup(group) };
    const userIds = toWire(added);
    const joined = followUp.joined(group, userIds, fromSeq);
    const extended = announce(caller, group, { reason: 'members_added', userIds, directly: userIds });
    await joined;
    return { group: extended };
  };
}
