/** Links: addresses of uploads that need no bearer. Their tokens are JWTs, valid for one upload and ten minutes. */
import { SignJWT } from 'jose';
import { unauthenticated } from '../../lib/errors.ts';
import { verifyByAny } from '../../lib/jwt.ts';
import type { KeyRing } from '../../lib/key-ring.ts';

/** Milliseconds (PROTOCOL section 9). */
const LIFETIME_MS = 10 * 60 * 1000;
const ALGORITHM = 'HS256';
const AUDIENCE = 'letsapp-media';
/** Tells these tokens from every other JWT (RFC 8725, section 3.11). */
const TYPE = 'link+jwt';

export interface Links {
  /** @returns the token of a link, and when it expires */
  issue(userId: string, uploadId: string): Promise<{ token: string; expiresAt: Date }>;
  /**
   * @returns the id of the user who made the link, and when
   * @throws ContractError `unauthenticated` for anything but a valid token of this very upload
   */
  verify(token: string, uploadId: string): Promise<{ makerId: string; madeAt: Date }>;
}

/** @param keys the same on every node, and used for nothing else */
export function createLinks(keys: KeyRing, clock: () => Date): Links {
  return {
    async issue(userId, uploadId) {
      const now = clock().getTime();
      // Whole seconds, as most readers of such tokens expect.
      const expires = Math.floor((now + LIFETIME_MS) / 1000);
      const token = await new SignJWT({ upload: uploadId })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setIssuedAt(now / 1000)
        .setExpirationTime(expires)
        .sign(keys[0]);
      return { token, expiresAt: new Date(expires * 1000) };
    },
    async verify(token, uploadId) {
      const { payload } = await verifyByAny(token, keys, {
        algorithms: [ALGORITHM],
        typ: TYPE,
        audience: AUDIENCE,
        requiredClaims: ['exp', 'iat', 'sub', 'upload'],
        currentDate: clock(),
      }).catch(() => {
        throw unauthenticated('the link is invalid or has expired');
      });
      if (payload.upload !== uploadId) throw unauthenticated('the link belongs to another upload');
      return { makerId: payload.sub!, madeAt: new Date(payload.iat! * 1000) };
    },
  };
}
