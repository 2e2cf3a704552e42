/** What accounts with passwords need: registration, sign-in, and new passwords. `AUTH_LOCAL=off` leaves it out. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { AuthenticationHook } from '../http/authentication.ts';
import { listeningUrl } from '../http/listen.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { Mailer } from './mail/mailer.ts';
import { createPasswordChange } from './passwords/change.ts';
import type { PasswordHashing } from './passwords/hashing.ts';
import { createHashRenewal } from './passwords/renewal.ts';
import { createPasswordReplacement } from './passwords/replacement.ts';
import { createPasswordReset } from './passwords/reset.ts';
import { createRegistration } from './registration.ts';
import type { AccountBudgets } from './routes/budgets.ts';
import { registerPasswordRoutes } from './routes/passwords.ts';
import { registerSignInRoutes } from './routes/sign-in.ts';
import type { Sessions } from './sessions/sessions.ts';
import { createSignIn } from './sign-in.ts';

export interface LocalAccountOptions {
  outbox: OutboxSource<UserDocument>;
  collections: Collections;
  http: FastifyInstance;
  config: Config;
  hashing: PasswordHashing;
  sessions: Sessions;
  mailer: Mailer;
  budgets: AccountBudgets;
  onRequest: AuthenticationHook;
  clock(): Date;
  log: Logger;
}

/** Registers the routes. */
export function registerLocalAccounts(options: LocalAccountOptions): void {
  const { http, config, hashing, budgets } = options;
  const replacePassword = createPasswordReplacement(options);
  registerSignInRoutes(http, {
    register: createRegistration({ ...options, isOpen: config.registrationOpen }),
    signIn: createSignIn({ ...options, renewHash: createHashRenewal(options) }),
    budgets,
  });
  registerPasswordRoutes(http, {
    ...options,
    changePassword: createPasswordChange(hashing, replacePassword),
    passwordReset: createPasswordReset({ ...options, replacePassword, mayMail: budgets.mayMail }),
    linkOrigin: () => config.publicUrl ?? listeningUrl(http, config.host),
  });
}
