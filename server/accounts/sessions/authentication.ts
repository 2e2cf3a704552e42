import type { Authenticate } from '../../http/authentication.ts';
import { unauthenticated } from '../../lib/errors.ts';
import { batchedById } from '../../model/batches.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { AccessTokens } from '../jwt/access-tokens.ts';

export interface AuthenticationOptions {
  collections: Pick<Collections, 'sessions' | 'users'>;
  accessTokens: AccessTokens;
  clock(): Date;
}

/**
 * Checks access tokens against the stored sessions and users: a valid token is worth nothing once its session has ended.
 * Concurrent look-ups share a query.
 */
export function createAuthentication({ collections, accessTokens, clock }: AuthenticationOptions): Authenticate {
  const findSession = batchedById(collections.sessions);
  const findUser = batchedById(collections.users);

  return async function authenticate(accessToken) {
    const { userId, sessionId, expiresAt } = await accessTokens.verify(accessToken);
    const user_id = fromId(userId);
    const [session, user] = await Promise.all([findSession(fromId(sessionId)), findUser(user_id)]);
    const isLive =
      session?.user_id.equals(user_id) &&
      session.revoked_at === undefined &&
      session.expires_at.getTime() > clock().getTime();
    if (!isLive || !user?.is_active) throw unauthenticated('the session has ended');
    return { user, sessionId, expiresAt };
  };
}
