/** Which usernames and addresses are somebody else's. The unique indexes decide; this says which of them refused. */
import type { ContractError } from '../lib/errors.ts';
import { conflict } from '../lib/errors.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';

export type NameField = 'username' | 'email';

/**
 * Looks up names as the unique indexes see them, not only those that a majority has.
 * @param isOwn whose names do not count; nobody's by default
 * @returns which of them are taken, `username` before `email`
 */
export async function takenNames(
  users: Collections['users'],
  { username, email }: { username?: string | undefined; email?: string | undefined },
  isOwn: (user: Pick<UserDocument, '_id' | 'external_id'>) => boolean = () => false,
): Promise<NameField[]> {
  const username_key = username?.toLowerCase();
  const email_key = email?.toLowerCase();
  const either = [...(username_key ? [{ username_key }] : []), ...(email_key ? [{ email_key }] : [])];
  if (either.length === 0) return [];
  const projection = { username_key: 1, email_key: 1, external_id: 1 };
  const found = await users.find({ $or: either }, { projection, readConcern: { level: 'local' } }).toArray();
  const others = found.filter((user) => !isOwn(user));
  const taken: NameField[] = [];
  if (others.some((user) => user.username_key === username_key)) taken.push('username');
  if (others.some((user) => user.email_key === email_key)) taken.push('email');
  return taken;
}

/** @param taken at least one */
export function nameConflict(taken: NameField[]): ContractError {
  return conflict(
    `${taken[0]} is taken`,
    taken.map((path) => ({ path, message: 'is taken' })),
  );
}
