/** Looking up a group for a caller: its document alone says who is a member and who is an admin. */
import type { Collection, ObjectId } from 'mongodb';
import type { GroupAction } from '../../shared/contract/documents.ts';
import type { Caller } from '../dispatch/caller.ts';
import { forbidden, notFound } from '../lib/errors.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { isAdminOf, isPermitted } from '../model/permissions.ts';

type Groups = Collection<GroupDocument>;

/**
 * The group as one of its members reads it.
 * @throws ContractError `not_found` if there is no such group, it has ended, or the caller is not a member
 */
export async function findGroup(groups: Groups, caller: Caller, groupId: ObjectId): Promise<GroupDocument> {
  const group = await groups.findOne({ _id: groupId, members: caller.userId, is_active: true });
  if (!group) throw notFound('no such group');
  return group;
}

/**
 * The group as one of its admins reads it.
 * @throws ContractError `not_found` as `findGroup`, `forbidden` if the caller is a member but no admin
 */
export async function findGroupAsAdmin(groups: Groups, caller: Caller, groupId: ObjectId): Promise<GroupDocument> {
  const group = await findGroup(groups, caller, groupId);
  if (!isAdminOf(group, caller.userId)) throw refusedToMembers();
  return group;
}

/**
 * The group as read by somebody who may do something there.
 * @throws ContractError `not_found` as `findGroup`, `forbidden` if the group's permissions keep that to its admins
 */
export async function findGroupPermitting(
  groups: Groups,
  caller: Caller,
  groupId: ObjectId,
  action: GroupAction,
): Promise<GroupDocument> {
  const group = await findGroup(groups, caller, groupId);
  if (!isPermitted(group, caller.userId, action)) throw refusedToMembers();
  return group;
}

const refusedToMembers = () => forbidden('only admins of the group may do this');
