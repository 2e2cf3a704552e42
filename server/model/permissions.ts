/** Who may do what in a group (PROTOCOL section 16). Whoever decides about a group's rights asks here. */
import type { Filter, ObjectId } from 'mongodb';
import type { GroupAction, Permissions } from '../../shared/contract/documents.ts';
import type { GroupDocument } from './documents/groups.ts';

const BY_DEFAULT: Permissions = {
  send: 'member',
  add_members: 'admin',
  edit_info: 'admin',
  pin: 'admin',
  mention_everyone: 'member',
  react: 'member',
};

/** Who may do what in a group, with defaults for what nobody has said. */
export function permissionsOf({ permissions }: Pick<GroupDocument, 'permissions'>): Permissions {
  return { ...BY_DEFAULT, ...permissions };
}

export function isAdminOf({ admins }: Pick<GroupDocument, 'admins'>, user: ObjectId): boolean {
  return admins.some((admin) => admin.equals(user));
}

/** Whether a member may do something. */
export function isPermitted(
  group: Pick<GroupDocument, 'admins' | 'permissions'>,
  member: ObjectId,
  action: GroupAction,
): boolean {
  return permissionsOf(group)[action] === 'member' || isAdminOf(group, member);
}

/**
 * The filter that repeats what `isPermitted` said of a group: a member still may, by the same right.
 * @param group as it was read
 */
export function stillPermitted(
  group: Pick<GroupDocument, 'permissions'>,
  member: ObjectId,
  action: GroupAction,
): Filter<GroupDocument> {
  if (permissionsOf(group)[action] === 'admin') return { admins: member };
  return { members: member, [`permissions.${action}`]: group.permissions?.[action] ?? { $exists: false } };
}
