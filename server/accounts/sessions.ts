/** Sessions: one per sign-in, each a family of rotating refresh tokens (RFC 9700, section 4.14.2). */
import { ObjectId } from 'mongodb';
import type { Tokens } from '../../shared/contract/accounts.ts';
import type { Config } from '../config.ts';
import { batchedById } from '../model/batches.ts';
import type { Collections } from '../model/collections.ts';
import type { DeviceInfo, SessionDocument } from '../model/documents.ts';
import { fromId } from '../model/codec.ts';
import { notFound, unauthenticated } from '../lib/errors.ts';
import type { Authenticated } from '../http/authentication.ts';
import type { AccessTokens } from './access-tokens.ts';
import { createRefreshTokens, hashToken } from './refresh-tokens.ts';

export interface Sessions {
  /** Signs a user in. Nothing is checked: that is the caller's part. */
  start(userId: ObjectId, deviceInfo?: DeviceInfo): Promise<Tokens>;
  /**
   * Exchanges a refresh token for new tokens; of several that present the same one, only the first succeeds.
   * @throws ContractError `unauthenticated`; a token that was used before ends its session
   */
  refresh(refreshToken: string): Promise<Tokens>;
  /** @throws ContractError `not_found` unless it is a live session of the user */
  end(userId: ObjectId, sessionId: string): Promise<void>;
  endAll(userId: ObjectId, exceptSessionId?: string): Promise<void>;
  /** The live sessions of a user, newest first. */
  list(userId: ObjectId): Promise<SessionDocument[]>;
  /** @throws ContractError `unauthenticated`: bad token, ended session, deactivated user */
  authenticate(accessToken: string): Promise<Authenticated>;
  /** The ids of the sessions that were ended at or after a time. */
  endedSince(since: Date): Promise<string[]>;
}

export interface SessionsOptions {
  collections: Pick<Collections, 'sessions' | 'users'>;
  config: Pick<Config, 'refreshTokenTtlS'>;
  tokens: AccessTokens;
  /** Told of sessions that this node ended, after they were. */
  onEnded(sessionIds: string[]): void;
  clock(): Date;
}

const NEVER_REVOKED = { revoked_at: { $exists: false } };

export function createSessions({ collections, config, tokens, onEnded, clock }: SessionsOptions): Sessions {
  const { sessions, users } = collections;
  const refreshTokens = createRefreshTokens(tokens.deriveKey('refresh token'));

  const findSession = batchedById(sessions);
  const findUser = batchedById(users);

  const expiry = (now: Date) => new Date(now.getTime() + config.refreshTokenTtlS * 1000);

  async function answer(userId: string, sessionId: string, refresh_token: string): Promise<Tokens> {
    return { ...(await tokens.issue(userId, sessionId)), refresh_token, session_id: sessionId };
  }

  /** Ends a session unless it was over already; whether it did. */
  async function revoke(filter: { _id: ObjectId; user_id?: ObjectId }): Promise<boolean> {
    const now = clock();
    const { modifiedCount } = await sessions.updateOne(
      { ...filter, ...NEVER_REVOKED, expires_at: { $gt: now } },
      { $set: { revoked_at: now } },
    );
    if (modifiedCount === 1) onEnded([filter._id.toHexString()]);
    return modifiedCount === 1;
  }

  return {
    async start(userId, deviceInfo) {
      const _id = new ObjectId();
      const refreshToken = refreshTokens.make(_id.toHexString());
      const now = clock();
      await sessions.insertOne({
        _id,
        user_id: userId,
        token_hash: hashToken(refreshToken),
        ...(deviceInfo ? { device_info: deviceInfo } : {}),
        created_at: now,
        last_used_at: now,
        expires_at: expiry(now),
      });
      return answer(userId.toHexString(), _id.toHexString(), refreshToken);
    },

    async refresh(refreshToken) {
      const refused = unauthenticated('the refresh token is not valid');
      const read = refreshTokens.read(refreshToken);
      if (!read) throw refused;
      const _id = fromId(read.sessionId);
      const next = refreshTokens.make(read.sessionId);
      const now = clock();
      // One write decides: of two that present the same token, only one finds it current.
      const session = await sessions.findOneAndUpdate(
        { _id, token_hash: hashToken(refreshToken), ...NEVER_REVOKED, expires_at: { $gt: now } },
        { $set: { token_hash: hashToken(next), last_used_at: now, expires_at: expiry(now) } },
      );
      if (!session) {
        if (read.isAuthentic) await revoke({ _id });
        throw refused;
      }
      const user = await users.findOne({ _id: session.user_id }, { projection: { is_active: 1 } });
      if (!user?.is_active) throw refused;
      return answer(session.user_id.toHexString(), read.sessionId, next);
    },

    async end(userId, sessionId) {
      if (!(await revoke({ _id: fromId(sessionId), user_id: userId }))) throw notFound('no such session');
    },

    async endAll(userId, exceptSessionId) {
      const revoked_at = clock();
      const { modifiedCount } = await sessions.updateMany(
        {
          user_id: userId,
          ...NEVER_REVOKED,
          ...(exceptSessionId === undefined ? {} : { _id: { $ne: fromId(exceptSessionId) } }),
        },
        { $set: { revoked_at } },
      );
      if (modifiedCount === 0) return;
      // Read back rather than before: a session that began in between is among them.
      const ended = await sessions.find({ user_id: userId, revoked_at }, { projection: { _id: 1 } }).toArray();
      onEnded(ended.map((session) => session._id.toHexString()));
    },

    list: (userId) =>
      sessions
        .find({ user_id: userId, ...NEVER_REVOKED, expires_at: { $gt: clock() } })
        .sort({ created_at: -1 })
        .toArray(),

    async authenticate(accessToken) {
      const { userId, sessionId, expiresAt } = await tokens.verify(accessToken);
      const _id = fromId(userId);
      const [session, user] = await Promise.all([findSession(fromId(sessionId)), findUser(_id)]);
      const isLive =
        session?.user_id.equals(_id) &&
        session.revoked_at === undefined &&
        session.expires_at.getTime() > clock().getTime();
      if (!isLive || !user?.is_active) throw unauthenticated('the session has ended');
      return { user, sessionId, expiresAt };
    },

    async endedSince(since) {
      const ended = await sessions.find({ revoked_at: { $gte: since } }, { projection: { _id: 1 } }).toArray();
      return ended.map((session) => session._id.toHexString());
    },
  };
}
