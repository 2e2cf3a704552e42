/** Forgotten passwords: a link by mail, good once and for half an hour (PROTOCOL section 2). */
import { createHash, randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { invalid } from '../lib/errors.ts';
import type { Mailer } from './mail.ts';
import type { ChangePassword } from './password-change.ts';
import { hashToken } from './refresh-tokens.ts';

const LIFETIME_MS = 30 * 60 * 1000;

export interface PasswordReset {
  /**
   * Sends a link when the address is known. The work before the answer is the same for every address; what only
   * known ones need comes after it.
   * @param origin where the link leads, e.g. `https://chat.example.org`
   */
  request(email: string, origin: string): Promise<void>;
  /**
   * @throws ContractError `validation_failed` when the token is used, expired or unknown; `conflict` when the password
   *   was used before (the token stays good for another try)
   */
  complete(token: string, newPassword: string): Promise<void>;
}

export interface PasswordResetOptions {
  collections: Pick<Collections, 'users' | 'password_reset_tokens'>;
  changePassword: ChangePassword;
  mailer: Mailer;
  clock(): Date;
  log: Logger;
}

export function createPasswordReset(options: PasswordResetOptions): PasswordReset {
  const { collections, changePassword, mailer, clock, log } = options;
  const { users, password_reset_tokens } = collections;

  async function sendLink(user: UserDocument, origin: string): Promise<void> {
    const token = randomBytes(32).toString('base64url');
    const now = clock();
    const store = () =>
      password_reset_tokens.updateOne(
        { _id: user._id },
        {
          $set: {
            user_id: user._id,
            token: hashToken(token),
            password_fingerprint: fingerprint(user),
            expiry: new Date(now.getTime() + LIFETIME_MS),
            created_at: now,
            used: false,
          },
        },
        { upsert: true },
      );
    // Two first requests at once may both try to insert: the second attempt finds the document.
    await store().catch((error: unknown) => (isDuplicateKey(error) ? store() : Promise.reject(error)));
    mailer.sendPasswordReset(user.email, `${origin}/reset-password?token=${token}`);
  }

  return {
    async request(email, origin) {
      const user = await users.findOne({ email_key: email.toLowerCase(), is_active: true });
      if (!user) return;
      // Begun after the answer, which so comes at the same pace whether there is a user or not.
      setImmediate(() => {
        sendLink(user, origin).catch((err) => log.error({ err }, 'a password reset could not be prepared'));
      });
    },

    async complete(token, newPassword) {
      const refused = invalid('token', 'is used, expired or unknown');
      const hash = hashToken(token);
      const reset = await password_reset_tokens.findOne({ token: hash, used: false, expiry: { $gt: clock() } });
      const user = reset && (await users.findOne({ _id: reset.user_id, is_active: true }));
      if (!user || reset.password_fingerprint !== fingerprint(user)) throw refused;
      // Of several with the same token one changes the password; to the others it is not what it was made for any more.
      if (!(await changePassword(user, newPassword))) throw refused;
      await password_reset_tokens.updateOne({ _id: reset._id, token: hash }, { $set: { used: true } });
    },
  };
}

/** What a token remembers of the password that it replaces. */
function fingerprint(user: UserDocument): string {
  return createHash('sha256').update(user.password).digest('base64url');
}
