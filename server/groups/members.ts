/** What the commands need to know of people who are, or are to become, members of a group. */
import type { ObjectId } from 'mongodb';
import { refusedByBlock } from '../conversations/access.ts';
import type { Caller } from '../dispatch/caller.ts';
import { conflict, forbidden, invalid, notFound } from '../lib/errors.ts';
import { toWire } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { Stays } from './stays.ts';

export function includes(ids: ObjectId[], id: ObjectId): boolean {
  return ids.some((one) => one.equals(id));
}

/** @throws ContractError `validation_failed` at the path, if the group would have more members than allowed */
export function assertWithinLimit(memberCount: number, maxMembers: number, path: string): void {
  if (memberCount > maxMembers) throw invalid(path, `must NOT make more than ${maxMembers} members`);
}

/** @throws ContractError `conflict` where nobody fits in any more */
export function assertNotFull({ members }: Pick<GroupDocument, 'members'>, maxMembers: number): void {
  if (members.length >= maxMembers) throw conflict(`the group has ${maxMembers} members already`);
}

/** How often somebody who left a group by themselves can be added again by a user who is no contact of theirs. */
const RETURNS_BY_STRANGERS = 2;

export interface CandidateOptions {
  collections: Pick<Collections, 'users'>;
  stays: Pick<Stays, 'leftAtLeast'>;
  /** Whether one of two users blocks the other. */
  isBlocked(one: string, other: string): Promise<boolean>;
  /** Whether each of the users is an accepted contact of a user. */
  areContacts(userId: string, others: string[]): Promise<boolean[]>;
  /** Who can be put into a group: anyone, or only accepted contacts of the one who acts. */
  canAdd: 'anyone' | 'contacts';
}

/**
 * Checks that the caller may add the users to a group.
 * @param groupId undefined for a new one
 * @throws ContractError `not_found` for unknown or deactivated users; `forbidden` for a block between one of them and
 * the caller, and for those who are no contacts of the caller where only contacts can be added, or who left too often
 */
export async function assertCanBeAdded(
  { collections: { users }, stays, isBlocked, areContacts, canAdd }: CandidateOptions,
  caller: Caller,
  added: ObjectId[],
  groupId?: ObjectId,
): Promise<void> {
  const [found, blocks, leavers] = await Promise.all([
    users.countDocuments({ _id: { $in: added }, is_active: true }),
    Promise.all(added.map((user) => isBlocked(caller.id, user.toHexString()))),
    groupId ? stays.leftAtLeast(groupId, added, RETURNS_BY_STRANGERS + 1) : [],
  ]);
  if (found < added.length) throw notFound('no such user');
  if (blocks.includes(true)) throw refusedByBlock();
  const asContacts = canAdd === 'contacts' ? added : leavers;
  if (asContacts.length === 0) return;
  const known = await areContacts(caller.id, toWire(asContacts));
  if (known.includes(false)) throw forbidden('only a contact may add this user');
}

/** Those of the users whose accounts are deactivated: as admins they do not count, because nobody acts for them. */
export async function deactivatedAmong({ users }: Pick<Collections, 'users'>, ids: ObjectId[]): Promise<ObjectId[]> {
  const found = await users.find({ _id: { $in: ids }, is_active: false }, { projection: { _id: 1 } }).toArray();
  return found.map(({ _id }) => _id);
}
