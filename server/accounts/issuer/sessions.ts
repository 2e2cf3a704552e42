/**
 * The sessions of another issuer's tokens: one for each `sid` of a user, or one for each user where tokens name none. Its
 * id is a hash of what the token names, so that all nodes find or begin the same one without asking each other.
 *
 * A token that was issued after its session was ended begins the session anew, under another id, so that what is still
 * being told of the ended one does not concern it. That id is made from the time of the ending too, which the first of
 * these sessions (the root) keeps.
 */
import { createHash } from 'node:crypto';
import { ObjectId } from 'mongodb';
import type { Logger } from 'pino';
import { unauthenticated, unavailable } from '../../lib/errors.ts';
import { batched } from '../../lib/group-commit.ts';
import { batchedById, type Upsert, upsertAll } from '../../model/batches.ts';
import type { Collections } from '../../model/collections.ts';
import type { SessionDocument } from '../../model/documents/accounts.ts';
import type { IssuerToken } from './tokens.ts';

/** How often a session's use is noted, in milliseconds. */
const NOTE_EVERY_MS = 600_000;
const ID_BYTES = 12;
/** A root is kept for good. */
const NEVER = new Date('9999-12-31T00:00:00Z');
/** Whoever loses that many races against endings of the session gives up. */
const MOST_ATTEMPTS = 5;

export interface IssuerSessions {
  /** Looks where a verified token leads. Concurrent look-ups share a query. */
  placeOf(token: IssuerToken): Promise<Place>;
  /**
   * Enters the session of a token, or begins it.
   * @param userId the user whom the token names
   * @param place where it led a moment ago
   * @returns the session's id, and whether it begins here
   * @throws ContractError `unauthenticated` when the session was ended after the token was issued
   */
  enter(token: IssuerToken, userId: ObjectId, place: Place): Promise<{ id: string; begins: boolean }>;
}

export interface IssuerSessionsOptions {
  collections: Pick<Collections, 'sessions'>;
  /** How long a session lives after its last use. */
  lifetimeMs: number;
  clock(): Date;
  log: Logger;
}

/** Where a token leads. */
export interface Place {
  /** The id of the first session of what the token names. */
  rootId: ObjectId;
  /** The id of the session that it leads to now. */
  id: ObjectId;
  /** What is stored under the id. */
  session: SessionDocument | undefined;
  /** The ending after which the session begins; undefined for the first one. */
  after: Date | undefined;
}

export function createIssuerSessions({ collections, lifetimeMs, clock, log }: IssuerSessionsOptions): IssuerSessions {
  const { sessions } = collections;
  const find = batchedById(sessions);
  const write = batched('issuer sessions', (upserts: readonly Upsert<SessionDocument>[]) =>
    upsertAll(sessions, upserts),
  );

  async function placeOf({ sub, sid }: IssuerToken): Promise<Place> {
    const rootId = idOf(sub, sid);
    const root = await find(rootId);
    const after = root?.begun_anew_after;
    if (!after) return { rootId, id: rootId, session: root, after };
    const id = idOf(sub, sid, after);
    return { rootId, id, session: await find(id), after };
  }

  /** Stores that a session is used, or the session itself if it is new. @returns false where it was ended meanwhile */
  function noteUse(_id: ObjectId, user_id: ObjectId, token: IssuerToken): Promise<boolean> {
    const now = clock();
    const expires_at = new Date(Math.max(now.getTime() + lifetimeMs, token.expiresAt.getTime()));
    const ahead = isAhead(token, now) ? { issued_until: new Date(token.issuedAt) } : {};
    return write({
      filter: { _id, revoked_at: { $exists: false } },
      update: { $setOnInsert: { user_id, created_at: now }, $max: { last_used_at: now, expires_at, ...ahead } },
    });
  }
  const onNotNoted = (err: unknown) => log.warn({ err }, "a session's use is not noted");

  /** Makes tokens lead to the session that follows an ending. */
  async function beginAfter(ending: Date, rootId: ObjectId): Promise<void> {
    await sessions.updateOne({ _id: rootId }, { $max: { begun_anew_after: ending }, $set: { expires_at: NEVER } });
  }

  return {
    placeOf,
    async enter(token, userId, found) {
      let place = found;
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        const { rootId, id, session } = place;
        const ending = endingBefore(place);
        const isOthers = session !== undefined && !session.user_id.equals(userId);
        if (isOthers || (ending && !isLater(token, ending))) throw unauthenticated('the session has ended');
        if (session?.revoked_at) {
          await beginAfter(ending!, rootId);
        } else {
          const now = clock();
          const begins = !session || session.expires_at <= now;
          const entered = { id: id.toHexString(), begins };
          if (!begins && isNoted(session, token, now)) return entered;
          const noting = noteUse(id, userId, token);
          if (begins || isAhead(token, now)) {
            if (await noting) return entered;
          } else {
            noting.catch(onNotNoted);
            return entered;
          }
        }
        place = await placeOf(token);
      }
      throw unavailable('the session is being ended again and again; try again');
    },
  };
}

/** The last ending before the session that a token leads to, or that it may begin. */
function endingBefore({ session, after }: Place): Date | undefined {
  const { revoked_at, issued_until } = session ?? {};
  if (!revoked_at) return after;
  return issued_until && issued_until > revoked_at ? issued_until : revoked_at;
}

/** Whether the stored session already says enough about its use by a token. */
function isNoted(session: SessionDocument, token: IssuerToken, now: Date): boolean {
  if (isAhead(token, now) && !(session.issued_until && session.issued_until.getTime() >= token.issuedAt)) return false;
  return session.last_used_at.getTime() + NOTE_EVERY_MS > now.getTime() && session.expires_at >= token.expiresAt;
}

/** Whether the issuer's clock is ahead. Without a note, an ending would not be later than the token that it ends. */
function isAhead<T extends IssuerToken>(token: T, now: Date): token is T & { issuedAt: number } {
  return token.issuedAt !== undefined && token.issuedAt > now.getTime();
}

/**
 * Whether a token was surely issued after an ending. `iat` counts seconds, most often whole ones, so a token from the
 * second of the ending is not sure, nor is one without `iat`.
 */
export function isLater({ issuedAt }: Pick<IssuerToken, 'issuedAt'>, ending: Date): boolean {
  return issuedAt !== undefined && issuedAt > ending.getTime();
}

/** Plain SHA-256, not keyed: what was ended stays ended when `JWT_SECRET` changes. */
function idOf(sub: string, sid: string | undefined, after?: Date): ObjectId {
  const named = JSON.stringify([sub, sid ?? null, after ?? null]);
  return new ObjectId(createHash('sha256').update(named).digest().subarray(0, ID_BYTES));
}
