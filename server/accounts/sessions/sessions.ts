/** Sessions: one per sign-in, each a family of rotating refresh tokens (RFC 9700, section 4.14.2). */
import { ObjectId } from 'mongodb';
import type { Tokens } from '../../../shared/contract/accounts.ts';
import { notFound, unauthenticated } from '../../lib/errors.ts';
import { hashToken } from '../../lib/token-hash.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { DeviceInfo } from '../../model/documents/accounts.ts';
import type { AccessTokens } from '../jwt/access-tokens.ts';
import type { KnownNetworks } from './known-networks.ts';
import type { RefreshTokens } from './refresh-tokens.ts';
import type { SessionStore } from './session-store.ts';

export interface Sessions {
  /**
   * Starts a session; the caller has checked that the user may sign in.
   * @param network where the request comes from
   */
  start(userId: string, network: string, deviceInfo?: DeviceInfo): Promise<Tokens>;
  /**
   * Exchanges a refresh token for new tokens. Of several calls with the same token, only the first succeeds.
   * @param network where the request comes from
   * @throws ContractError `unauthenticated`; a token that was used before also ends its session
   */
  refresh(refreshToken: string, network: string): Promise<Tokens>;
  /** @throws ContractError `not_found` unless it is a live session of the user */
  end(userId: string, sessionId: string): Promise<void>;
  /** Ends a user's sessions, all or all but one. If all, another issuer's earlier tokens begin none any more. */
  endAll(userId: string, exceptSessionId?: string): Promise<void>;
}

export interface SessionsOptions {
  collections: Pick<Collections, 'users'>;
  store: SessionStore;
  accessTokens: AccessTokens;
  refreshTokens: RefreshTokens;
  networkTag: KnownNetworks['tagOf'];
  /** Called with the sessions that this node has ended. */
  onEnded(sessionIds: string[]): void;
  clock(): Date;
}

export function createSessions(options: SessionsOptions): Sessions {
  const { collections, store, accessTokens, refreshTokens, networkTag, onEnded, clock } = options;

  async function tokensOf(userId: string, sessionId: string, refresh_token: string): Promise<Tokens> {
    return { ...(await accessTokens.issue(userId, sessionId)), refresh_token, session_id: sessionId };
  }

  async function revoke(sessionId: string, userId?: string): Promise<boolean> {
    const ended = await store.revoke(sessionId, userId);
    if (ended) onEnded([sessionId]);
    return ended;
  }

  return {
    async start(userId, network, deviceInfo) {
      const id = new ObjectId().toHexString();
      const refreshToken = refreshTokens.make(id);
      const tokenHash = hashToken(refreshToken);
      await store.insert({ id, userId, tokenHash, deviceInfo, network: networkTag(network) });
      return tokensOf(userId, id, refreshToken);
    },

    async refresh(refreshToken, network) {
      const refused = unauthenticated('the refresh token is not valid');
      const read = refreshTokens.read(refreshToken);
      if (!read) throw refused;
      const next = refreshTokens.make(read.sessionId);
      const hashes = [hashToken(refreshToken), hashToken(next)] as const;
      const session = await store.rotate(read.sessionId, ...hashes, networkTag(network));
      if (!session) {
        if (read.isAuthentic) await revoke(read.sessionId);
        throw refused;
      }
      const user = await collections.users.findOne({ _id: session.user_id }, { projection: { is_active: 1 } });
      if (!user?.is_active) throw refused;
      return tokensOf(session.user_id.toHexString(), read.sessionId, next);
    },

    async end(userId, sessionId) {
      if (!(await revoke(sessionId, userId))) throw notFound('no such session');
    },

    async endAll(userId, exceptSessionId) {
      if (exceptSessionId === undefined) {
        const user = { _id: fromId(userId), external_id: { $exists: true } };
        await collections.users.updateOne(user, { $max: { sessions_ended_at: clock() } });
      }
      const ended = await store.revokeAll(userId, exceptSessionId);
      if (ended.length > 0) onEnded(ended);
    },
  };
}
