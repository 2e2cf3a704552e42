/** Access tokens: short-lived JWTs (RFC 7519, after the profile of RFC 9068) that name a user and a session. */
import { decodeProtectedHeader, type JWTPayload, SignJWT } from 'jose';
import { OWN_ISSUER } from '../../config/issuer.ts';
import type { Config } from '../../config.ts';
import { unauthenticated } from '../../lib/errors.ts';
import { verifyByAny } from '../../lib/jwt.ts';
import { createLru } from '../../lib/lru.ts';
import type { SigningKey } from './signing-key.ts';

const AUDIENCE = 'letsapp';
/** Sets access tokens apart from any other JWT signed with the same key (RFC 8725, section 3.11). */
const TYPE = 'at+jwt';
const ID = /^[0-9a-f]{24}$/;
/**
 * How many tokens are remembered as good: checking a signature takes longer than everything else that a connection does
 * before the store is asked. Half a KiB each.
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
  key: Pick<SigningKey, 'alg' | 'sign' | 'kid' | 'verification'>;
  config: Pick<Config, 'accessTokenTtlS'>;
  clock(): Date;
}

export function createAccessTokens({ key, config, clock }: AccessTokensOptions): AccessTokens {
  const header = { alg: key.alg, typ: TYPE, ...(key.kid === undefined ? {} : { kid: key.kid }) };
  const expected = {
    typ: TYPE,
    issuer: OWN_ISSUER,
    audience: AUDIENCE,
    requiredClaims: ['exp', 'sub', 'sid'],
  };
  const known = createLru<Bearer>('access tokens', MOST_KNOWN);

  /** Only keys for the algorithm that the token names are tried, and each for that algorithm alone. */
  async function claimsOf(token: string): Promise<JWTPayload> {
    const { alg, kid } = decodeProtectedHeader(token);
    const isMaybe = (of: string | undefined) => kid === undefined || of === undefined || kid === of;
    const keys = key.verification.filter((each) => each.alg === alg && isMaybe(each.publicJwk?.kid));
    const verify = keys.map((each) => each.verify);
    const { payload } = await verifyByAny(token, verify, { ...expected, algorithms: [alg!], currentDate: clock() });
    return payload;
  }

  async function check(token: string): Promise<Bearer> {
    const { sub, sid, exp } = await claimsOf(token).catch(() => {
      throw invalidToken();
    });
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
