import { conflict, forbidden } from '../../lib/errors.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import { assertAcceptable } from './acceptance.ts';
import type { PasswordHashing } from './hashing.ts';
import type { ReplacePassword } from './replacement.ts';

/**
 * Changes the password of a user who knows the current one; every other session ends.
 * @param sessionId the session that goes on
 * @throws ContractError `validation_failed` for a new password that is not acceptable; `forbidden` when the current one
 *   is wrong; `conflict` when the new one was used before, or the password was changed at the same moment
 */
export type ChangePassword = (
  user: UserDocument,
  sessionId: string,
  currentPassword: string,
  newPassword: string,
) => Promise<void>;

export function createPasswordChange(hashing: PasswordHashing, replacePassword: ReplacePassword): ChangePassword {
  return async function changePassword(user, sessionId, currentPassword, newPassword) {
    assertAcceptable('new_password', newPassword);
    if (!(await hashing.verify(currentPassword, user.password))) throw forbidden('the current password is wrong');
    if (!(await replacePassword(user, newPassword, sessionId))) {
      throw conflict('the password was changed at the same moment', [
        { path: 'current_password', message: 'was changed at the same moment' },
      ]);
    }
  };
}
