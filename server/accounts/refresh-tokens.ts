/**
 * Refresh tokens: opaque to clients, `<session id>.<256 random bits>.<tag>`. The session id makes the look-up one
 * indexed read. The tag (HMAC-SHA-256, truncated to 128 bits) proves that a token was made here: one that is not the
 * session's current one was used before, and ends the session (RFC 9700, section 4.14.2), while a guess ends nobody's.
 * So no list of used tokens is kept, however long a session lives.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const FORM = /^([0-9a-f]{24})\.[\w-]{43}\.([\w-]{22})$/;
const TAG_BYTES = 16;

export interface RefreshTokens {
  /** A new token of a session. */
  make(sessionId: string): string;
  /** The session that a token is of and whether it was made here; undefined for what no token looks like. */
  read(token: string): { sessionId: string; isAuthentic: boolean } | undefined;
}

/** @param key secret, the same on every node */
export function createRefreshTokens(key: Buffer): RefreshTokens {
  const tagOf = (text: string) =>
    createHmac('sha256', key).update(text).digest().subarray(0, TAG_BYTES).toString('base64url');
  return {
    make(sessionId) {
      const text = `${sessionId}.${randomBytes(32).toString('base64url')}`;
      return `${text}.${tagOf(text)}`;
    },
    read(token) {
      const [, sessionId, tag] = FORM.exec(token) ?? [];
      if (sessionId === undefined || tag === undefined) return undefined;
      const text = token.slice(0, token.lastIndexOf('.'));
      // Compared as text: the last character has bits that decoding ignores.
      return { sessionId, isAuthentic: timingSafeEqual(Buffer.from(tag), Buffer.from(tagOf(text))) };
    },
  };
}

/** The form in which random tokens are stored. SHA-256 is enough for what has 256 random bits. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
