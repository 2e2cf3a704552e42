/**
 * Refresh tokens: opaque to clients, `<session id>.<256 random bits>.<tag>`. The session id makes the look-up one
 * indexed read. The tag (HMAC-SHA-256, truncated to 128 bits) proves that this server made the token. So an authentic
 * token that is not its session's current one must have been used before, and ends the session (RFC 9700, section
 * 4.14.2), while a guessed token ends nothing. No list of used tokens is kept, however long a session lives.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyRing } from '../../lib/key-ring.ts';

const FORM = /^([0-9a-f]{24})\.[\w-]{43}\.([\w-]{22})$/;
const RANDOM_BYTES = 32;
const TAG_BYTES = 16;

export interface RefreshTokens {
  /** Makes a new token for a session. */
  make(sessionId: string): string;
  /** @returns the token's session and whether this server made it; undefined when it does not have the form of one */
  read(token: string): { sessionId: string; isAuthentic: boolean } | undefined;
}

/** @param keys secret, the same on every node */
export function createRefreshTokens(keys: KeyRing): RefreshTokens {
  const tagOf = (key: Buffer, text: string) =>
    createHmac('sha256', key).update(text).digest().subarray(0, TAG_BYTES).toString('base64url');
  return {
    make(sessionId) {
      const text = `${sessionId}.${randomBytes(RANDOM_BYTES).toString('base64url')}`;
      return `${text}.${tagOf(keys[0], text)}`;
    },
    read(token) {
      const [, sessionId, tag] = FORM.exec(token) ?? [];
      if (sessionId === undefined || tag === undefined) return undefined;
      const text = token.slice(0, token.lastIndexOf('.'));
      // Compared as text: decoding would ignore bits of the last character.
      const isAuthentic = keys.some((key) => timingSafeEqual(Buffer.from(tag), Buffer.from(tagOf(key, text))));
      return { sessionId, isAuthentic };
    },
  };
}
