/** Access tokens: short-lived JWTs (RFC 7519, profile of RFC 9068) that name a user and a session. */
import { type JWK, jwtVerify, SignJWT } from 'jose';
import type { Config } from '../config.ts';
import { unauthenticated } from '../lib/errors.ts';
import { loadSigningKey, type SigningKeyConfig } from './signing-key.ts';

const ISSUER = 'letsapp';
const AUDIENCE = 'letsapp';
/** Tells access tokens from every other JWT that the same key might sign (RFC 8725, section 3.11). */
const TYPE = 'at+jwt';
const ID = /^[0-9a-f]{24}$/;

export interface AccessTokens {
  /** @returns the token and the seconds until it expires */
  issue(userId: string, sessionId: string): Promise<{ access_token: string; expires_in: number }>;
  /** @throws ContractError `unauthenticated`, whatever is wrong with the token */
  verify(token: string): Promise<{ userId: string; sessionId: string; expiresAt: Date }>;
  /** The public keys as a JWK set (RFC 7517); empty with symmetric signing. */
  jwks(): { keys: JWK[] };
  /** A symmetric key for another purpose, e.g. links: the same on every node, unlike for every purpose. */
  deriveKey(purpose: string): Buffer;
}

export type AccessTokensConfig = SigningKeyConfig & Pick<Config, 'accessTokenTtlS'>;

/** @throws ConfigError when the configured key cannot be used */
export async function createAccessTokens(config: AccessTokensConfig): Promise<AccessTokens> {
  const key = await loadSigningKey(config);
  const header = { alg: key.alg, typ: TYPE, ...(key.publicJwk ? { kid: key.publicJwk.kid } : {}) };

  return {
    async issue(userId, sessionId) {
      const access_token = await new SignJWT({ sid: sessionId })
        .setProtectedHeader(header)
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${config.accessTokenTtlS}s`)
        .sign(key.sign);
      return { access_token, expires_in: config.accessTokenTtlS };
    },
    async verify(token) {
      const { payload } = await jwtVerify(token, key.verify, {
        algorithms: [key.alg],
        typ: TYPE,
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp', 'sub', 'sid'],
      }).catch(() => {
        throw unauthenticated('the access token is not valid');
      });
      const { sub, sid, exp } = payload;
      if (!isId(sub) || !isId(sid)) throw unauthenticated('the access token is not valid');
      return { userId: sub, sessionId: sid, expiresAt: new Date(exp! * 1000) };
    },
    jwks: () => ({ keys: key.publicJwk ? [key.publicJwk] : [] }),
    deriveKey: key.derive,
  };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && ID.test(value);
}
