/** What the commands need to know of people who are, or are to become, members of a group. */
import type { ObjectId } from 'mongodb';
import { refusedByBlock } from '../conversations/access.ts';
import type { Caller } from '../dispatch/caller.ts';
import { invalid, notFound } from '../lib/errors.ts';
import type { Collections } from '../model/collections.ts';

export function includes(ids: ObjectId[], id: ObjectId): boolean {
  return ids.some((one) => one.equals(id));
}

/** @throws ContractError `validation_failed` at the path, if the group would have more members than allowed */
export function assertWithinLimit(memberCount: number, maxMembers: number, path: string): void {
  if (memberCount > maxMembers) throw invalid(path, `must NOT make more than ${maxMembers} members`);
}

export interface CandidateOptions {
  collections: Pick<Collections, 'users'>;
  /** Whether one of two users blocks the other. */
  isBlocked(one: string, other: string): Promise<boolean>;
}

/**
 * Checks that the caller may add the users to a group.
 * @throws ContractError `not_found` for unknown or deactivated users, `forbidden` for a block between one of them and
 * the caller
 */
export async function assertCanBeAdded(
  { collections: { users }, isBlocked }: CandidateOptions,
  caller: Caller,
  added: ObjectId[],
): Promise<void> {
  const [found, blocks] = await Promise.all([
    users.countDocuments({ _id: { $in: added }, is_active: true }),
    Promise.all(added.map((user) => isBlocked(caller.id, user.toHexString()))),
  ]);
  if (found < added.length) throw notFound('no such user');
  if (blocks.includes(true)) throw refusedByBlock();
}

/** Those of the users whose accounts are deactivated: as admins they do not count, because nobody acts for them. */
export async function deactivatedAmong({ users }: Pick<Collections, 'users'>, ids: ObjectId[]): Promise<ObjectId[]> {
  const found = await users.find({ _id: { $in: ids }, is_active: false }, { projection: { _id: 1 } }).toArray();
  return found.map(({ _id }) => _id);
}
