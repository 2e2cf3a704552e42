/** Accounts, put together: registration, sign-in, sessions, passwords and profiles over HTTP. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Jobs } from '../cluster/jobs.ts';
import type { Config } from '../config.ts';
import type { RateLimiter } from '../dispatch/rate-limits.ts';
import type { ServerTime } from '../dispatch/server-time.ts';
import { type Authenticate, authenticated } from '../http/authentication.ts';
import type { Collections } from '../model/collections.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import { toPublicUser } from '../model/views/user.ts';
import type { Outbox, OutboxSource } from '../outbox/outbox.ts';
import { createAnyAuthentication } from './authentication.ts';
import { createDeactivation, type DeactivationOptions } from './deactivation.ts';
import { createErasure, type ErasePart } from './erasure.ts';
import { createFindOrMake } from './external-users.ts';
import { foldNamesAnew } from './fold-anew.ts';
import { createAccessTokens } from './jwt/access-tokens.ts';
import { loadSigningKey, type SigningKey } from './jwt/signing-key.ts';
import { registerLocalAccounts } from './local-accounts.ts';
import { createMailer } from './mail/mailer.ts';
import { createOperatorAccess, type OperatorAccess } from './operator-access.ts';
import { createPasswordHashing } from './passwords/hashing.ts';
import { createProfileUpdate, type ProfileOptions } from './profile.ts';
import { createAccountBudgets } from './routes/budgets.ts';
import { registerKeyRoutes } from './routes/keys.ts';
import { registerProfileRoutes } from './routes/profile.ts';
import { registerSessionRoutes } from './routes/sessions.ts';
import { registerRefreshRoute } from './routes/sign-in.ts';
import { createKnownNetworks } from './sessions/known-networks.ts';
import { createRefreshTokens } from './sessions/refresh-tokens.ts';
import { watchRevocations } from './sessions/revocation-watch.ts';
import { createSessionStore } from './sessions/session-store.ts';
import { createSessions } from './sessions/sessions.ts';

/**
 * How long an ended session is remembered where another issuer's tokens may name it, in milliseconds: tokens issued
 * before it ended stay refused, whether they were seen or not.
 */
const ENDINGS_KEPT_MS = 400 * 86_400_000;

export interface AccountDomainOptions {
  collections: Collections;
  http: FastifyInstance;
  serverTime: ServerTime;
  rateLimiter: RateLimiter;
  jobs: Pick<Jobs, 'handle' | 'add'>;
  outbox: Outbox;
  config: Config;
  /** Called with sessions that have ended, on this node or another. */
  onSessionsEnded(sessionIds: string[]): void;
  checkPicture: ProfileOptions['checkPicture'];
  onProfileChanged: ProfileOptions['onProfileChanged'];
  whileChanging: ProfileOptions['whileChanging'];
  whileDeactivating: DeactivationOptions['whileDeactivating'];
  /** Tells those concerned of a deactivation. */
  announceDeactivation(userId: string): Promise<void>;
  /** Tells those concerned that a user is active again. */
  announceReactivation(userId: string): void;
  eraseParts: ErasePart[];
  clock(): Date;
  log: Logger;
}

export interface AccountDomain {
  authenticate: Authenticate;
  deriveKeys: SigningKey['derive'];
  /** For the operator's own back end. */
  operator: OperatorAccess;
  close(): Promise<void>;
}

/** @throws ConfigError when the signing key cannot be used */
export async function createAccountDomain(given: AccountDomainOptions): Promise<AccountDomain> {
  const options = { ...given, outbox: outboxOf(given) };
  const { collections, http, serverTime, rateLimiter, config, onSessionsEnded, clock, log } = options;
  const key = await loadSigningKey(config);
  const accessTokens = createAccessTokens({ key, config, clock });
  const refreshTokens = createRefreshTokens(key.derive('refresh token'));
  const lifetimeMs = config.refreshTokenTtlS * 1000;
  const store = createSessionStore({ collections, lifetimeMs, memoryMs: config.issuer && ENDINGS_KEPT_MS, clock });
  const networks = createKnownNetworks({ collections, keys: key.derive('network'), clock });
  const sessions = createSessions({
    collections,
    store,
    accessTokens,
    refreshTokens,
    networkTag: networks.tagOf,
    onEnded: onSessionsEnded,
    clock,
  });
  const authentication = createAnyAuthentication({ ...options, accessTokens, lifetimeMs, endSession: sessions.end });
  const { authenticate } = authentication;
  const revocations = watchRevocations({ revokedSince: store.revokedSince, onEnded: onSessionsEnded, clock, log });

  const hashing = createPasswordHashing({ cost: config.bcryptCost });
  const mailer = await createMailer({ config, log });

  const eraseRest = createErasure(options);
  /** What is left of a person is erased after those concerned were told. Neither keeps the answer waiting. */
  const onDeactivated = (userId: string) => void options.announceDeactivation(userId).then(() => eraseRest(userId));

  const onRequest = authenticated(authenticate);
  const budgets = createAccountBudgets({ rateLimiter, collections, isKnownNetwork: networks.isKnown });
  if (config.localAccounts) registerLocalAccounts({ ...options, hashing, sessions, mailer, budgets, onRequest });
  registerRefreshRoute(http, { sessions, budgets });
  registerSessionRoutes(http, { onRequest, sessions, store });
  registerProfileRoutes(http, {
    onRequest,
    updateProfile: createProfileUpdate(options),
    deactivate: createDeactivation({ ...options, hashing, sessions, onDeactivated }),
    budgets,
    serverTime,
  });
  registerKeyRoutes(http, key);
  foldNamesAnew(options);

  return {
    authenticate,
    deriveKeys: key.derive,
    operator: createOperatorAccess({ ...options, sessions, findOrMake: createFindOrMake(options) }),
    async close() {
      authentication.close();
      revocations.close();
      await hashing.close();
      await mailer.close();
    },
  };
}

/** Tells webhooks of users. */
function outboxOf({ outbox, collections }: AccountDomainOptions): OutboxSource<UserDocument> {
  return outbox.source({
    name: 'user',
    collection: collections.users,
    type: 'user.updated',
    toData: (user) => ({ user: toPublicUser(user) }),
  });
}
