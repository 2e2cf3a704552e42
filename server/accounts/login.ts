import type { Filter } from 'mongodb';
import type { UserDocument } from '../model/documents/accounts.ts';

/**
 * Finds the user that a login names, active or not.
 * @param login a username or an email address, in any case, with or without white space around it, which keyboards that
 *   complete words leave behind; usernames have no `@`
 */
export function loginFilter(login: string): Filter<UserDocument> {
  const key = login.trim().toLowerCase();
  return key.includes('@') ? { email_key: key } : { username_key: key };
}
