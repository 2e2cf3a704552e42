import { type Environment, readInteger, readText, SECRET_EXAMPLE, wrongSetting } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';

const MIN_SECRET_BYTES = 32;
/** Each costs a check of every token that is not the server's. */
const MOST_KEYS = 8;
const YEAR_S = 31_536_000;

/** The beginning of a key in a form that other programs write: it may be public, and is no secret. */
const KEY_FORM = /^(-----BEGIN|\{\s*"|ssh-|MCowBQYDK2Vw|MC4CAQAwBQYDK2Vw)/;
/** Those of them that can be read. */
const READABLE_KEY = /^(-----BEGIN|\{)/;

/** How tokens are signed and how long they live. In production, a signing key is required. */
export function readTokens(env: Environment, production: boolean) {
  const jwtSecret = readText(env, 'JWT_SECRET');
  const jwtPrivateKey = readText(env, 'JWT_PRIVATE_KEY');
  if (jwtSecret !== undefined && jwtPrivateKey !== undefined) {
    throw new ConfigError('JWT_SECRET and JWT_PRIVATE_KEY exclude each other: set one of them');
  }
  if (jwtSecret !== undefined) checkSecret('JWT_SECRET', jwtSecret, SECRET_EXAMPLE);
  if (production && jwtSecret === undefined && jwtPrivateKey === undefined) {
    const problem = 'must be set when NODE_ENV is production';
    throw new ConfigError(`JWT_SECRET or JWT_PRIVATE_KEY ${problem}; for example JWT_SECRET=${SECRET_EXAMPLE}`);
  }
  return {
    jwtSecret,
    jwtPrivateKey,
    jwtAlsoVerify: readOtherKeys(env),
    accessTokenTtlS: readInteger(env, 'ACCESS_TOKEN_TTL_S', 900, 1, YEAR_S),
    refreshTokenTtlS: readInteger(env, 'REFRESH_TOKEN_TTL_S', 2_592_000, 1, YEAR_S),
  };
}

/** One secret or key, or several as a JSON array: secrets may contain any character that could separate them. */
function readOtherKeys(env: Environment): string[] {
  const name = 'JWT_ALSO_VERIFY';
  const example = '["the JWT_SECRET that signed before this one did"]';
  const text = readText(env, name);
  if (text === undefined) return [];
  const keys = text.startsWith('[') ? parseArray(text) : [text];
  if (!keys || keys.length > MOST_KEYS) {
    throw wrongSetting(name, `must be a secret, a key or a JSON array of them, ${MOST_KEYS} at most`, example);
  }
  for (const key of keys) if (!READABLE_KEY.test(key)) checkSecret(name, key, example);
  return keys;
}

/** @returns the texts, and those of JWKs; undefined for anything else */
function parseArray(text: string): string[] | undefined {
  try {
    const parts: unknown = JSON.parse(text);
    if (!Array.isArray(parts)) return undefined;
    return parts.map((part) => (typeof part === 'string' ? part.trim() : JSON.stringify(Object(part))));
  } catch {
    // The cause is left out: it might quote a secret.
    return undefined;
  }
}

/** A public key must never be a secret, since everybody has it (RFC 8725, section 2.1). */
function checkSecret(name: string, secret: string, example: string): void {
  if (KEY_FORM.test(secret)) throw wrongSetting(name, 'must not have a key where a secret should be', example);
  if (Buffer.byteLength(secret) < MIN_SECRET_BYTES) {
    throw wrongSetting(name, `must have at least ${MIN_SECRET_BYTES} bytes`, example);
  }
}
