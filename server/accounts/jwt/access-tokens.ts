/** Access tokens: short-lived JWTs (RFC 7519, after the profile of RFC 9068) that name a user and a session. */
import { jwtVerify, SignJWT } from 'jose';
import { OWN_ISSUER } from '../../config/issuer.ts';
import type { Config } from '../../config.ts';
import { unauthenticated } from '../../lib/errors.ts';
import { createLru } from '../../lib/lru.ts';
import type { SigningKey } from './signing-key.ts';

const AUDIENCE = 'letsapp';
/** Sets access tokens apart from any other JWT signed with the same key (RFC 8725, section 3.11). */
const TYPE = 'at+jwt';
const ID = /^[0-9a-f]{24}$/;
/**
 * How many tokens are remembered as good: checking a signature takes longer than all else that a connection costs before
 * the store is asked. Half a KiB each.
 */
const MOST_KNOWN = 4096;

export interface AccessTokens {
  /** @returns the token and its lifetime in seconds */
  issue(userId: string, sessionId: string): Promise<{ access_token: string; expires_in: number }>;
  /** @throws ContractError `unauthenticated`, whatever is wrong with the token */
  verify(token: string): Promise<Bearer>;
}

/** Whom an access token names. */
export interface Bearer {
  userId: string;
  sessionId: string;
  expiresAt: Date;
}

export interface AccessTokensOptions {
  key: SigningKey;
  config: Pick<Config, 'accessTokenTtlS'>;
  clock(): Date;
}

export function createAccessTokens({ key, config, clock }: AccessTokensOptions): AccessTokens {
  const header = { alg: key.alg, typ: TYPE, ...(key.publicJwk ? { kid: key.publicJwk.kid } : {}) };
  const expected = {
    algorithms: [key.alg],
    typ: TYPE,
    issuer: OWN_ISSUER,
    audience: AUDIENCE,
    requiredClaims: ['exp', 'sub', 'sid'],
  };
  const known = createLru<Bearer>(MOST_KNOWN);

  async function check(token: string): Promise<Bearer> {
    const { payload } = await jwtVerify(token, key.verify, { ...expected, currentDate: clock() }).catch(() => {
      throw invalidToken();
    });
    const { sub, sid, exp } = payload;
    if (!isId(sub) || !isId(sid)) throw invalidToken();
    return { userId: sub, sessionId: sid, expiresAt: new Date(exp! * 1000) };
  }

  return {
    async issue(userId, sessionId) {
      const issuedAt = Math.floor(clock().getTime() / 1000);
      const expiresAt = issuedAt + config.accessTokenTtlS;
      const access_token = await new SignJWT({ sid: sessionId })
        .setProtectedHeader(header)
        .setIssuer(OWN_ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setJti(crypto.randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(key.sign);
      known.set(access_token, { userId, sessionId, expiresAt: new Date(expiresAt * 1000) });
      return { access_token, expires_in: config.accessTokenTtlS };
    },
    async verify(token) {
      const bearer = known.get(token) ?? (await check(token));
      if (bearer.expiresAt.getTime() <= clock().getTime()) {
        known.delete(token);
        throw invalidToken();
      }
      known.set(token, bearer);
      return bearer;
    },
  };
}

const invalidToken = () => unauthenticated('the access token is not valid');

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}
