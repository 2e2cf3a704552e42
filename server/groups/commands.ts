/** The commands `group:*` (PROTOCOL section 7). */
import type { Group } from '../../shared/contract/documents.ts';
import type { LookupCache } from '../conversations/lookup-cache.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { fromId } from '../model/codec.ts';
import { toWireGroup } from '../model/views/group.ts';
import { type AddMembersOptions, createAddMembers } from './add-members.ts';
import { type CreateGroupOptions, createGroupCreation } from './create-group.ts';
import { createDeleteGroup } from './delete-group.ts';
import { findGroup } from './find-group.ts';
import { createInTurn } from './in-turn.ts';
import { createInvitationCommands, type InvitationCommandOptions } from './invitations/commands.ts';
import { createLeaveGroup } from './leave-group.ts';
import { createRemoveMember, type RemoveMemberOptions } from './remove-member.ts';
import { createSetAdmin } from './set-admin.ts';
import { createUpdateGroup } from './update-group.ts';

/** Groups in one reply of the store: with their members they are large, and others are not to wait for them all. */
const LIST_BATCH = 16;
/** Leaves out what is only for some users, and may be large. */
const SHOWN = { invites: 0, invite_keys: 0 };

export type GroupCommandOptions = CreateGroupOptions &
  AddMembersOptions &
  Omit<RemoveMemberOptions, 'leave'> & { lookups: Pick<LookupCache, 'changing'> } & Omit<
    InvitationCommandOptions,
    'inTurn' | 'changing'
  >;

export function createGroupCommands(options: GroupCommandOptions): HandlersOf<'group'> {
  const { groups } = options.collections;

  /** A command that changes who may do what in the group: access decisions made before it must not outlive it. */
  const changingAccess =
    <P extends { group_id: string }, R>(command: (caller: Caller, payload: P) => Promise<R> | R) =>
    (caller: Caller, payload: P): Promise<R> =>
      options.lookups.changing(payload.group_id, async () => command(caller, payload));

  const inTurn = createInTurn();
  const addMembers = createAddMembers(options);
  const leave = createLeaveGroup(options);
  return {
    'group:create': inTurn(createGroupCreation(options)),
    async 'group:get'(caller, { group_id }) {
      return { group: toWireGroup(await findGroup(groups, caller, fromId(group_id))) };
    },
    async 'group:list'(caller) {
      const found: Group[] = [];
      for await (const group of groups.find(
        { members: caller.userId, is_active: true },
        { batchSize: LIST_BATCH, projection: SHOWN },
      )) {
        found.push(toWireGroup(group));
      }
      return { groups: found };
    },
    'group:update': changingAccess(createUpdateGroup(options)),
    'group:add_members': inTurn((caller, payload, assertTime) =>
      options.lookups.changing(payload.group_id, () => addMembers(caller, payload, assertTime)),
    ),
    ...createInvitationCommands({ ...options, inTurn, changing: options.lookups.changing }),
    'group:remove_member': changingAccess(createRemoveMember({ ...options, leave })),
    'group:leave': changingAccess(leave),
    'group:set_admin': changingAccess(createSetAdmin(options)),
    'group:delete': changingAccess(createDeleteGroup(options)),
  };
}
