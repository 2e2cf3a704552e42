/** Accounts, put together: who signs in, with what, and for how long. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { RateLimiter } from '../dispatch/rate-limits.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import { registerAccountRoutes } from './routes.ts';
import type { Config } from '../config.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents.ts';
import { type AccessTokens, createAccessTokens } from './access-tokens.ts';
import { type AccountsOptions, createAccounts } from './accounts.ts';
import { createMailer } from './mail.ts';
import { createPasswordChange } from './password-change.ts';
import { createPasswordReset } from './password-reset.ts';
import { createPasswords } from './passwords.ts';
import { watchRevocations } from './revocation-watch.ts';
import { createSessions, type Sessions } from './sessions.ts';

export interface AccountDomainOptions {
  collections: Collections;
  http: FastifyInstance;
  serverTime: ServerTime;
  rateLimiter: RateLimiter;
  config: Config;
  /** Told of sessions that were ended, here or on another node. */
  onSessionsEnded(sessionIds: string[]): void;
  /** Whether the user may make this upload a profile picture; throws when not. */
  profilePicture(userId: string, mediaId: string): Promise<void>;
  onProfileChanged(user: UserDocument): void;
  whileDeactivating: AccountsOptions['whileDeactivating'];
  onDeactivated(userId: string): void;
  clock(): Date;
  log: Logger;
}

export interface AccountDomain {
  sessions: Sessions;
  tokens: AccessTokens;
  close(): Promise<void>;
}

/** @throws ConfigError when the signing key is not usable */
export async function createAccountDomain(options: AccountDomainOptions): Promise<AccountDomain> {
  const { collections, http, serverTime, rateLimiter, config, onSessionsEnded, clock, log } = options;
  const tokens = await createAccessTokens(config);
  const passwords = createPasswords({ cost: config.bcryptCost });
  const sessions = createSessions({ collections, config, tokens, onEnded: onSessionsEnded, clock });
  const revocations = watchRevocations({ endedSince: sessions.endedSince, onEnded: onSessionsEnded, log });
  const mailer = createMailer({ config, log });
  const changePassword = createPasswordChange({ collections, passwords, sessions, clock });
  const passwordReset = createPasswordReset({ collections, changePassword, mailer, clock, log });
  const accounts = createAccounts({ ...options, passwords, sessions, changePassword });
  registerAccountRoutes(http, { accounts, passwordReset, sessions, tokens, serverTime, rateLimiter, config });
  return {
    sessions,
    tokens,
    async close() {
      revocations.close();
      await passwords.close();
      await mailer.close();
    },
  };
}
