/** The stored sessions: one document per sign-in, with the hash of the refresh token that is valid now. */
import { notFound } from '../../lib/errors.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { DeviceInfo, SessionDocument } from '../../model/documents/accounts.ts';
import { insertOnce } from '../../model/insert-once.ts';

export interface NewSession {
  id: string;
  userId: string;
  tokenHash: string;
  deviceInfo: DeviceInfo | undefined;
  /** A tag of the network that it comes from. */
  network: string;
}

export interface SessionStore {
  insert(session: NewSession): Promise<void>;
  /**
   * Replaces the token hash of a live session and extends its lifetime. One write decides: of several calls with the
   * same current hash, only the first succeeds.
   * @param network a tag of the network that it is used from
   * @returns the session, or null unless `currentHash` was its hash
   */
  rotate(sessionId: string, currentHash: string, nextHash: string, network: string): Promise<SessionDocument | null>;
  /**
   * Ends a live session.
   * @param userId whose session it must be, if that matters
   * @returns whether this call ended it
   */
  revoke(sessionId: string, userId?: string): Promise<boolean>;
  /** Ends all sessions of a user, but for one. @returns their ids */
  revokeAll(userId: string, exceptSessionId?: string): Promise<string[]>;
  /**
   * The live sessions of a user, newest first.
   * @param before only those that began before this session
   * @throws ContractError `not_found` when there was no such session of the user
   */
  list(userId: string, limit: number, before?: string): Promise<SessionDocument[]>;
  /** The ids of the sessions that were ended at or after a time. */
  revokedSince(since: Date): Promise<string[]>;
}

export interface SessionStoreOptions {
  collections: Pick<Collections, 'sessions'>;
  /** How long a session lives after its last refresh. */
  lifetimeMs: number;
  /** How long an ended session is remembered; undefined where only those that would still live are asked about. */
  memoryMs: number | undefined;
  clock(): Date;
}

const NOT_REVOKED = { revoked_at: { $exists: false } };

/** What follows a session in the list. The first condition bounds the part of the index that is read. */
function olderThan({ _id, created_at }: SessionDocument) {
  return {
    created_at: { $lte: created_at },
    $or: [{ created_at: { $lt: created_at } }, { _id: { $lt: _id } }],
  };
}

export function createSessionStore(options: SessionStoreOptions): SessionStore {
  const { collections, lifetimeMs, memoryMs, clock } = options;
  const { sessions } = collections;
  const expiryFrom = (now: Date) => new Date(now.getTime() + lifetimeMs);
  const ending = (now: Date) => ({
    $set: { revoked_at: now },
    ...(memoryMs === undefined ? {} : { $max: { expires_at: new Date(now.getTime() + memoryMs) } }),
  });

  async function idsOf(filter: object): Promise<string[]> {
    const found = await sessions.find(filter, { projection: { _id: 1 } }).toArray();
    return found.map(({ _id }) => _id.toHexString());
  }

  return {
    async insert({ id, userId, tokenHash, deviceInfo, network }) {
      const now = clock();
      await insertOnce(sessions, {
        _id: fromId(id),
        user_id: fromId(userId),
        token_hash: tokenHash,
        ...(deviceInfo ? { device_info: deviceInfo } : {}),
        network,
        created_at: now,
        last_used_at: now,
        expires_at: expiryFrom(now),
      });
    },
    async rotate(sessionId, currentHash, nextHash, network) {
      const now = clock();
      return sessions.findOneAndUpdate(
        { _id: fromId(sessionId), token_hash: currentHash, ...NOT_REVOKED, expires_at: { $gt: now } },
        { $set: { token_hash: nextHash, network, last_used_at: now, expires_at: expiryFrom(now) } },
      );
    },
    async revoke(sessionId, userId) {
      const now = clock();
      const owner = userId === undefined ? {} : { user_id: fromId(userId) };
      const { modifiedCount } = await sessions.updateOne(
        { _id: fromId(sessionId), ...owner, ...NOT_REVOKED, expires_at: { $gt: now } },
        ending(now),
      );
      return modifiedCount === 1;
    },
    async revokeAll(userId, exceptSessionId) {
      const user_id = fromId(userId);
      const revoked_at = clock();
      const except = exceptSessionId === undefined ? {} : { _id: { $ne: fromId(exceptSessionId) } };
      const { modifiedCount } = await sessions.updateMany({ user_id, ...NOT_REVOKED, ...except }, ending(revoked_at));
      // Read after the write, not before: a session that began in between is included.
      return modifiedCount === 0 ? [] : idsOf({ user_id, revoked_at });
    },
    async list(userId, limit, before) {
      const user_id = fromId(userId);
      const last = before === undefined ? undefined : await sessions.findOne({ _id: fromId(before), user_id });
      if (last === null) throw notFound('no such session');
      return sessions
        .find({ user_id, ...NOT_REVOKED, expires_at: { $gt: clock() }, ...(last ? olderThan(last) : {}) })
        .sort({ created_at: -1, _id: -1 })
        .limit(limit)
        .toArray();
    },
    revokedSince: (since) => idsOf({ revoked_at: { $gte: since } }),
  };
}
