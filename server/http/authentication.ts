/** Bearer authentication (RFC 6750) for routes: `onRequest: authenticated(sessions)`. */
import type { FastifyRequest } from 'fastify';
import type { ObjectId } from 'mongodb';
import type { UserDocument } from '../model/documents.ts';
import { unauthenticated } from '../lib/errors.ts';

/** Whose session an access token is of. */
export interface Authenticated {
  user: UserDocument;
  sessionId: string;
  /** When the access token expires. */
  expiresAt: Date;
}

export interface HttpCaller {
  userId: ObjectId;
  /** The same as hex characters. */
  id: string;
  sessionId: string;
  user: UserDocument;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set on routes that authenticate. */
    caller: HttpCaller;
  }
}

const BEARER = /^Bearer +([\w.~+/-]+=*) *$/i;

/**
 * A hook that sets `request.caller`. It belongs into `onRequest`: before a stranger's body is read.
 * @returns a hook that throws ContractError `unauthenticated`
 */
export function authenticated(sessions: { authenticate(accessToken: string): Promise<Authenticated> }) {
  return async (request: FastifyRequest): Promise<void> => {
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined) throw unauthenticated();
    const { user, sessionId } = await sessions.authenticate(token);
    request.caller = { userId: user._id, id: user._id.toHexString(), sessionId, user };
  };
}
