/** The tokens of another issuer: JWTs (RFC 7519) signed by a key of its JWK set (PROTOCOL section 13). */
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Logger } from 'pino';
import type { IssuerConfig } from '../../config/issuer.ts';
import { ContractError, unauthenticated } from '../../lib/errors.ts';
import type { KeySet, Keys } from './key-set.ts';

const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];
/** By how much the issuer's clock may be off, in seconds. */
const SKEW_S = 30;
/** A longer token is not looked at. Headers of HTTP requests hold no more. */
const MAX_LENGTH = 16_384;
/** The latest time that a Date can hold, in milliseconds. */
const LATEST_MS = 8.64e15;
const EXTERNAL_ID = /^[^\p{Cc}\p{Cs}]{1,128}$/u;

/** What a currently valid token of the issuer says. */
export interface IssuerToken {
  /** The user's `external_id`. */
  sub: string;
  /** Which of the user's sessions at the issuer; undefined where the token does not say. */
  sid: string | undefined;
  /** In milliseconds; undefined where the token does not say. */
  issuedAt: number | undefined;
  expiresAt: Date;
  /** All claims, those about the person not checked. */
  claims: JWTPayload;
}

export interface IssuerTokens {
  /** Whether a token says that it comes from the issuer, whoever signed it. */
  claimsToBe(token: string): boolean;
  /** @throws ContractError `unauthenticated`, whatever is wrong with the token; `unavailable` without keys */
  verify(token: string): Promise<IssuerToken>;
}

export interface IssuerTokensOptions {
  config: Pick<IssuerConfig, 'issuer' | 'audience'>;
  keySet: Pick<KeySet, 'keys' | 'newerThan'>;
  clock(): Date;
  log: Logger;
}

export function createIssuerTokens({ config, keySet, clock, log }: IssuerTokensOptions): IssuerTokens {
  const { issuer, audience } = config;

  async function verifyBy(keys: Keys, token: string): Promise<JWTPayload> {
    const expected = {
      algorithms: ALGORITHMS,
      issuer,
      audience,
      clockTolerance: SKEW_S,
      requiredClaims: ['exp', 'sub'],
      currentDate: clock(),
    };
    try {
      return (await jwtVerify(token, keys, expected)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      for await (const key of error) {
        const verified = await jwtVerify(token, key, expected).catch(ignoreOtherKey);
        if (verified) return verified.payload;
      }
      throw new errors.JWSSignatureVerificationFailed();
    }
  }

  async function verifyByAny(token: string): Promise<JWTPayload> {
    const keys = await keySet.keys();
    try {
      return await verifyBy(keys, token);
    } catch (error) {
      if (!isOfUnknownKey(error, token)) throw error;
      const newer = await keySet.newerThan(keys);
      if (newer === keys) throw error;
      return verifyBy(newer, token);
    }
  }

  return {
    claimsToBe(token) {
      if (token.length > MAX_LENGTH) return false;
      try {
        return decodeJwt(token).iss === issuer;
      } catch {
        return false;
      }
    },
    async verify(token) {
      const claims = await verifyByAny(token).catch((error: Error) => {
        if (error instanceof ContractError) throw error;
        log.debug({ reason: error.message }, 'a token of the issuer is refused');
        throw invalidToken();
      });
      return read(claims);
    },
  };
}

const invalidToken = () => unauthenticated('the token is not valid');

/** Ignores that the signature is another key's, or that the key cannot be used; throws anything else. */
function ignoreOtherKey(error: unknown): undefined {
  if (error instanceof errors.JOSEError && !(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
}

/** Whether the set lacks the key. Where the token does not name its key, that is when no key of the set fits. */
function isOfUnknownKey(error: unknown, token: string): boolean {
  if (error instanceof errors.JWKSNoMatchingKey) return true;
  return error instanceof errors.JWSSignatureVerificationFailed && decodeProtectedHeader(token).kid === undefined;
}

/** @param claims verified: `exp` is a number that is not past, `iat` a number where there is one */
function read(claims: JWTPayload): IssuerToken {
  const { sub, sid, iat, exp } = claims;
  if (typeof sub !== 'string' || !EXTERNAL_ID.test(sub)) throw invalidToken();
  if (!(sid === undefined || sid === null || typeof sid === 'string' || typeof sid === 'number')) throw invalidToken();
  return {
    sub,
    sid: sid === undefined || sid === null ? undefined : String(sid),
    issuedAt: iat === undefined ? undefined : Math.min(iat * 1000, LATEST_MS),
    expiresAt: new Date(Math.min(exp! * 1000, LATEST_MS)),
    claims,
  };
}
