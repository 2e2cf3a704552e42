/** Bearer authentication for routes (RFC 6750). */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { ObjectId } from 'mongodb';
import { unauthenticated } from '../lib/errors.ts';
import type { UserDocument } from '../model/documents/accounts.ts';

/** The user and session that an access token stands for. */
export interface Authenticated {
  user: UserDocument;
  sessionId: string;
  /** When the access token expires. */
  expiresAt: Date;
}

/** Checks an access token; throws ContractError `unauthenticated`, also when its session has ended. */
export type Authenticate = (accessToken: string) => Promise<Authenticated>;

export interface HttpCaller {
  userId: ObjectId;
  /** The same as hex characters. */
  id: string;
  /** Undefined where a server key acts as the user. */
  sessionId: string | undefined;
  user: UserDocument;
}

/** A key of the operator's own back end. */
export interface ServerKey {
  id: string;
  name: string;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request; set on routes that authenticate. */
    caller: HttpCaller;
    /** The key that was presented, on routes that take one. */
    serverKey: ServerKey | undefined;
  }
}

/** Throws ContractError `unauthenticated`, or lets the request pass. */
export type AuthenticationHook = (request: FastifyRequest) => Promise<void>;

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/** The token of a request's bearer authentication. */
export const bearerOf = (request: FastifyRequest): string | undefined =>
  BEARER.exec(request.headers.authorization ?? '')?.[1];

/** A hook for `onRequest` that asks for one fixed token; where there is none, it asks for nothing. */
export function bearing(token: string | undefined): AuthenticationHook {
  if (token === undefined) return async () => {};
  const digest = (text: string) => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return async (request) => {
    // Digests, because only values of equal length can be compared in constant time.
    if (!timingSafeEqual(digest(bearerOf(request) ?? ''), expected)) throw unauthenticated();
  };
}

/** A hook that sets `request.caller`; for `onRequest`, so that a stranger's body is never read. */
export function authenticated(authenticate: Authenticate): AuthenticationHook {
  return async (request) => {
    const token = bearerOf(request);
    if (token === undefined) throw unauthenticated();
    const { user, sessionId } = await authenticate(token);
    request.caller = { userId: user._id, id: user._id.toHexString(), sessionId, user };
  };
}

/** The session of a caller with an access token. @throws ContractError `unauthenticated` where a server key acts */
export function sessionOf({ sessionId }: HttpCaller): string {
  if (sessionId === undefined) throw unauthenticated();
  return sessionId;
}
