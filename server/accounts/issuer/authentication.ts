/** Authentication by the tokens of another issuer (PROTOCOL section 13). */
import type { Logger } from 'pino';
import type { IssuerConfig } from '../../config/issuer.ts';
import type { Authenticate } from '../../http/authentication.ts';
import { unauthenticated } from '../../lib/errors.ts';
import { batchedByKey } from '../../model/batches.ts';
import type { Collections } from '../../model/collections.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import type { OutboxSource } from '../../outbox/outbox.ts';
import { createFindOrMake } from '../external-users.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { firstSight } from './first-sight.ts';
import { createKeySet } from './key-set.ts';
import { createIssuerSessions, isLater } from './sessions.ts';
import { createIssuerTokens, type IssuerToken, type IssuerTokens } from './tokens.ts';

export interface IssuerAuthentication {
  /** Whether a token says that it comes from the issuer. Only such ones are for `authenticate`. */
  claimsToBe: IssuerTokens['claimsToBe'];
  authenticate: Authenticate;
  close(): void;
}

export interface IssuerAuthenticationOptions {
  outbox: OutboxSource<UserDocument>;
  collections: Pick<Collections, 'users' | 'sessions'>;
  config: IssuerConfig;
  /** How long a session lives after its last use, in milliseconds. */
  lifetimeMs: number;
  endSession: Sessions['end'];
  clock(): Date;
  log: Logger;
}

/**
 * Checks tokens, and makes the user and the session of one at first sight. As with the server's own tokens, concurrent
 * look-ups share a query, and each token is looked up anew: what was ended is refused at once by all nodes.
 */
export function createIssuerAuthentication(options: IssuerAuthenticationOptions): IssuerAuthentication {
  const { collections, config, endSession, clock, log } = options;
  const keySet = createKeySet({ url: config.jwksUrl, log });
  const tokens = createIssuerTokens({ config, keySet, clock, log });
  const sessions = createIssuerSessions(options);
  const findOrMake = createFindOrMake(options);
  const findUser = batchedByKey(collections.users, 'external_id');

  /** Users being made, by `external_id`: all devices of a user that come at first sight wait for the same one. */
  const making = new Map<string, Promise<UserDocument>>();

  function make({ sub, claims }: IssuerToken): Promise<UserDocument> {
    const underWay = making.get(sub);
    if (underWay) return underWay;
    const made = findOrMake(sub, firstSight(claims))
      .then(({ user }) => user)
      .finally(() => making.delete(sub));
    making.set(sub, made);
    return made;
  }

  const userOf = async (token: IssuerToken) => (await findUser(token.sub)) ?? make(token);

  /** Ending all sessions of a user ends those that are found. This one may have begun too late for that. */
  async function lookAgain(userId: string, sessionId: string, token: IssuerToken): Promise<void> {
    try {
      assertWelcome(await findUser(token.sub), token);
    } catch (error) {
      await endSession(userId, sessionId).catch(() => {});
      throw error;
    }
  }

  return {
    claimsToBe: tokens.claimsToBe,
    async authenticate(accessToken) {
      const token = await tokens.verify(accessToken);
      const [user, place] = await Promise.all([userOf(token), sessions.placeOf(token)]);
      assertWelcome(user, token);
      const session = await sessions.enter(token, user._id, place);
      if (session.begins) await lookAgain(user._id.toHexString(), session.id, token);
      return { user, sessionId: session.id, expiresAt: token.expiresAt };
    },
    close: keySet.close,
  };
}

/** @throws ContractError `unauthenticated` */
function assertWelcome(user: UserDocument | undefined, token: IssuerToken): void {
  if (!user?.is_active) throw unauthenticated('the user is deactivated');
  const { sessions_ended_at } = user;
  if (sessions_ended_at && !isLater(token, sessions_ended_at)) throw unauthenticated('the session has ended');
}
