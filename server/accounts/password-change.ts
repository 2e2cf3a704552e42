/** The one way in which a password is replaced, whoever asks for it (PROTOCOL section 2). */
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents.ts';
import { conflict } from '../lib/errors.ts';
import type { Passwords } from './passwords.ts';
import type { Sessions } from './sessions.ts';

/** How many earlier passwords are remembered, and refused. */
const HISTORY = 5;

export interface PasswordChangeOptions {
  collections: Pick<Collections, 'users'>;
  passwords: Passwords;
  sessions: Sessions;
  clock(): Date;
}

/**
 * Replaces a user's password and ends the sessions that the old one opened.
 * @param user as it was when the right to do this was established
 * @param keepSessionId the session that goes on
 * @returns false when the password was changed by someone else meanwhile: nothing was changed here
 * @throws ContractError `conflict` when the new password is the current one or among the last five
 */
export type ChangePassword = (user: UserDocument, newPassword: string, keepSessionId?: string) => Promise<boolean>;

export function createPasswordChange({
  collections,
  passwords,
  sessions,
  clock,
}: PasswordChangeOptions): ChangePassword {
  async function assertNew(password: string, hashes: string[]): Promise<void> {
    // One after the other: each keeps a thread busy for a third of a second, and others want to sign in.
    for (const hash of hashes) {
      if (await passwords.verify(password, hash)) {
        throw conflict('the password was used before', [{ path: 'new_password', message: 'was used before' }]);
      }
    }
  }

  return async function changePassword(user, newPassword, keepSessionId) {
    await assertNew(newPassword, [user.password, ...user.password_history]);
    const password = await passwords.hash(newPassword);
    const now = clock();
    // Before as well as after: a process that dies in between leaves no session that the old password opened.
    await sessions.endAll(user._id, keepSessionId);
    const { matchedCount } = await collections.users.updateOne(
      { _id: user._id, password: user.password, is_active: true },
      {
        $set: {
          password,
          password_history: [user.password, ...user.password_history].slice(0, HISTORY),
          last_password_change: now,
          updated_at: now,
        },
      },
    );
    if (matchedCount === 0) return false;
    await sessions.endAll(user._id, keepSessionId);
    return true;
  };
}
