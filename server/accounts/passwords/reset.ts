/** Password resets: a link by mail, valid once and for half an hour (PROTOCOL section 2). */
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { invalid } from '../../lib/errors.ts';
import { hashToken } from '../../lib/token-hash.ts';
import { upsert } from '../../model/batches.ts';
import type { Collections } from '../../model/collections.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import type { Mailer } from '../mail/mailer.ts';
import { assertAcceptable } from './acceptance.ts';
import { NO_PASSWORD } from './hashing.ts';
import type { ReplacePassword } from './replacement.ts';

const LIFETIME_MS = 30 * 60 * 1000;
const TOKEN_BYTES = 32;

export interface PasswordReset {
  /**
   * Sends a link if an active user with a password has the address. Before it returns it does the same work for every
   * address; what only known addresses need is done afterwards.
   * @param origin where the link leads, e.g. `https://chat.example.org`
   */
  request(email: string, origin: string): Promise<void>;
  /**
   * @throws ContractError `validation_failed` when the token is used, expired or unknown, or the password is not
   *   acceptable; `conflict` when it was used before (in both cases the token stays valid)
   */
  complete(token: string, newPassword: string): Promise<void>;
}

export interface PasswordResetOptions {
  collections: Pick<Collections, 'users' | 'password_reset_tokens'>;
  replacePassword: ReplacePassword;
  mailer: Mailer;
  /** Whether one more mail may go to a user. */
  mayMail(userId: string): Promise<boolean>;
  clock(): Date;
  log: Logger;
}

export function createPasswordReset(options: PasswordResetOptions): PasswordReset {
  const { collections, replacePassword, mailer, mayMail, clock, log } = options;
  const { users, password_reset_tokens } = collections;

  async function sendLink(user: UserDocument, origin: string): Promise<void> {
    // No new token then: whoever floods a user with mails does not make the link in the last one void.
    if (!(await mayMail(user._id.toHexString()))) return;
    const token = randomBytes(TOKEN_BYTES).toString('base64url');
    await storeToken(password_reset_tokens, user, token, clock());
    mailer.sendPasswordReset(user.email, `${origin}/reset-password?token=${token}`);
  }

  return {
    async request(email, origin) {
      const user = await users.findOne({ email_key: email.toLowerCase(), is_active: true });
      if (!user || user.password === NO_PASSWORD) return;
      // Begun after the answer, so that the answer comes at the same pace whether there is a user or not.
      setImmediate(() => {
        sendLink(user, origin).catch((err) => log.error({ err }, 'cannot prepare a password reset'));
      });
    },

    async complete(token, newPassword) {
      assertAcceptable('new_password', newPassword);
      const refused = invalid('token', 'is used, expired or unknown');
      const hash = hashToken(token);
      const reset = await password_reset_tokens.findOne({ token: hash, used: false, expiry: { $gt: clock() } });
      const user = reset && (await users.findOne({ _id: reset.user_id, is_active: true }));
      if (!user || reset.password_since?.getTime() !== user.last_password_change.getTime()) throw refused;
      // Of several requests with one token, the first changes the password; for the others the token is void by then.
      if (!(await replacePassword(user, newPassword))) throw refused;
      await password_reset_tokens.updateOne({ _id: reset._id, token: hash }, { $set: { used: true } });
    },
  };
}

/** Stores the hash of a user's new token in place of the one before. */
async function storeToken(
  tokens: Collections['password_reset_tokens'],
  user: UserDocument,
  token: string,
  now: Date,
): Promise<void> {
  const fields = {
    user_id: user._id,
    token: hashToken(token),
    password_since: user.last_password_change,
    expiry: new Date(now.getTime() + LIFETIME_MS),
    created_at: now,
    used: false,
  };
  await upsert(tokens, { filter: { _id: user._id }, update: { $set: fields } });
}
