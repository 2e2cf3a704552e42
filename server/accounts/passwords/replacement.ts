/** How a password is replaced, whoever asks for it: its owner, or the bearer of a reset token (PROTOCOL section 2). */
import { conflict } from '../../lib/errors.ts';
import type { Collections } from '../../model/collections.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import type { Sessions } from '../sessions/sessions.ts';
import type { PasswordHashing } from './hashing.ts';

/** How many earlier passwords are kept and refused, besides the current one. */
const HISTORY_LENGTH = 5;

export interface PasswordReplacementOptions {
  collections: Pick<Collections, 'users'>;
  hashing: PasswordHashing;
  sessions: Sessions;
  clock(): Date;
}

/**
 * Replaces a user's password and ends the sessions that the old one opened.
 * @param user as read when the right to replace the password was established
 * @param keepSessionId the session that goes on, if any
 * @returns false when the password was changed meanwhile; nothing is replaced then
 * @throws ContractError `conflict` when the new password is the current one or one of the five before it
 */
export type ReplacePassword = (user: UserDocument, newPassword: string, keepSessionId?: string) => Promise<boolean>;

export function createPasswordReplacement(options: PasswordReplacementOptions): ReplacePassword {
  const { collections, hashing, sessions, clock } = options;

  return async function replacePassword(user, newPassword, keepSessionId) {
    const userId = user._id.toHexString();
    await assertUnused(hashing, newPassword, [user.password, ...user.password_history]);
    const password = await hashing.hash(newPassword);
    const now = clock();
    // Before the write as well as after: should the process die in between, no session of the old password is left.
    await sessions.endAll(userId, keepSessionId);
    const { matchedCount } = await collections.users.updateOne(
      // Not by the hash: it may have been renewed meanwhile, at a higher cost.
      { _id: user._id, last_password_change: user.last_password_change, is_active: true },
      {
        $set: {
          password,
          password_history: [user.password, ...user.password_history].slice(0, HISTORY_LENGTH),
          last_password_change: now,
          updated_at: now,
        },
      },
    );
    if (matchedCount === 0) return false;
    await sessions.endAll(userId, keepSessionId);
    return true;
  };
}

async function assertUnused(hashing: PasswordHashing, password: string, hashes: string[]): Promise<void> {
  // One at a time: each comparison keeps a thread busy that others need to sign in.
  for (const hash of hashes) {
    if (await hashing.verify(password, hash)) {
      throw conflict('the password was used before', [{ path: 'new_password', message: 'was used before' }]);
    }
  }
}
