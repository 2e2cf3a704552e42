import type { ObjectId } from 'mongodb';
import type { CommandData, CommandPayload } from '../../shared/contract/index.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { AssertTime } from '../lib/deadline.ts';
import { fromId, toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { stillPermitted } from '../model/permissions.ts';
import type { Enter } from './entering.ts';
import { findGroupPermitting } from './find-group.ts';
import type { GroupLimit } from './group-limit.ts';
import { assertCanBeAdded, assertWithinLimit, type CandidateOptions } from './members.ts';

export interface AddMembersOptions extends CandidateOptions {
  collections: Pick<Collections, 'groups' | 'users'>;
  enter: Enter;
  limit: GroupLimit;
  maxMembers: number;
}

/** `group:add_members`: adds those who are not members yet, who see the history from here on. */
export function createAddMembers(options: AddMembersOptions) {
  const { enter, limit, maxMembers } = options;
  const { groups } = options.collections;

  return async (
    caller: Caller,
    { group_id, user_ids }: CommandPayload<'group:add_members'>,
    assertTime: AssertTime,
  ): Promise<CommandData<'group:add_members'>> => {
    const groupId = fromId(group_id);
    const userIds = [...new Set(user_ids)];

    /** @returns those of the users who are to be added */
    async function candidates(members: ObjectId[]): Promise<ObjectId[]> {
      const present = new Set(toWire(members));
      const added = userIds.filter((userId) => !present.has(userId)).map(fromId);
      if (added.length === 0) return added;
      assertWithinLimit(members.length + added.length, maxMembers, 'user_ids');
      await assertCanBeAdded(options, caller, added, groupId);
      return added;
    }

    const { group } = await limit.entering(userIds.map(fromId), (assertRoom) =>
      enter({
        actor: caller,
        groupId,
        find: () => findGroupPermitting(groups, caller, groupId, 'add_members'),
        async decide(read) {
          const added = await candidates(read.members);
          return added.length === 0 ? undefined : { added, guard: stillPermitted(read, caller.userId, 'add_members') };
        },
        assertRoom,
        assertTime,
      }),
    );
    return { group };
  };
}
