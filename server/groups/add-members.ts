import type { ObjectId } from 'mongodb';
import type { CommandData, CommandPayload } from '../../shared/contract/index.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { AssertTime } from '../lib/deadline.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { groupRef } from '../model/conversation-ref.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { stillPermitted } from '../model/permissions.ts';
import { toWireGroup } from '../model/views/group.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { AnnounceGroup } from './announcement.ts';
import { changeGroup } from './change.ts';
import { findGroupPermitting } from './find-group.ts';
import type { FollowUp } from './follow-up.ts';
import type { AssertRoom, GroupLimit } from './group-limit.ts';
import { assertCanBeAdded, assertWithinLimit, type CandidateOptions } from './members.ts';
import type { Stays } from './stays.ts';

export interface AddMembersOptions extends CandidateOptions {
  outbox: OutboxSource<GroupDocument>;
  collections: Pick<Collections, 'groups' | 'users'>;
  store: Pick<MessageStore, 'highest'>;
  stays: Stays;
  limit: GroupLimit;
  announce: AnnounceGroup;
  followUp: FollowUp;
  maxMembers: number;
  clock(): Date;
}

interface Addition {
  groupId: ObjectId;
  /** Without those who appear twice. */
  userIds: string[];
  assertRoom: AssertRoom;
  assertTime: AssertTime;
}

/** `group:add_members`: adds those who are not members yet, who see the history from here on. */
export function createAddMembers(options: AddMembersOptions) {
  return async (
    caller: Caller,
    { group_id, user_ids }: CommandPayload<'group:add_members'>,
    assertTime: AssertTime,
  ): Promise<CommandData<'group:add_members'>> => {
    const userIds = [...new Set(user_ids)];
    return options.limit.entering(userIds.map(fromId), (assertRoom) =>
      add(options, caller, { groupId: fromId(group_id), userIds, assertRoom, assertTime }),
    );
  };
}

async function add(
  options: AddMembersOptions,
  caller: Caller,
  { groupId, userIds, assertRoom, assertTime }: Addition,
): Promise<CommandData<'group:add_members'>> {
  const { collections, outbox, store, stays, announce, followUp, maxMembers, clock } = options;
  const { groups } = collections;
  let added: ObjectId[] = [];
  let fromSeq = 0;
  const { group, changed } = await changeGroup(
    outbox,
    () => findGroupPermitting(groups, caller, groupId, 'add_members'),
    async (group) => {
      const { members } = group;
      const present = new Set(toWire(members));
      added = userIds.filter((userId) => !present.has(userId)).map(fromId);
      if (added.length === 0) return undefined;
      assertWithinLimit(members.length + added.length, maxMembers, 'user_ids');
      await assertCanBeAdded(options, caller, added, groupId);
      await assertRoom(added);
      assertTime();
      fromSeq = await store.highest('seq', groupRef(groupId.toHexString()));
      // Before the group lets them in: an earlier stay must not reveal what was sent while they were away.
      await stays.open(groupId, added, fromSeq);
      return {
        guard: {
          $and: [stillPermitted(group, caller.userId, 'add_members'), { members: { $nin: added } }],
          // Everyone who is added still fits in.
          [`members.${maxMembers - added.length}`]: { $exists: false },
        },
        update: { $push: { members: { $each: added } }, $max: { updated_at: clock() } },
        news: { reason: 'members_added', actor_id: caller.userId, user_ids: added },
      };
    },
    assertTime,
  );
  if (!changed) return { group: toWireGroup(group) };
  const joinedIds = toWire(added);
  const joined = followUp.joined(group, joinedIds, fromSeq);
  const extended = announce(caller, group, { reason: 'members_added', userIds: joinedIds, directly: joinedIds });
  await joined;
  return { group: extended };
}
