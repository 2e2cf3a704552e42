import { type Environment, readInteger, readText, SECRET_EXAMPLE, wrongSetting } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';

const MIN_SECRET_BYTES = 32;
const YEAR_S = 31_536_000;

/** How tokens are signed and how long they live. In production, a signing key is required. */
export function readTokens(env: Environment, production: boolean) {
  const jwtSecret = readText(env, 'JWT_SECRET');
  const jwtPrivateKey = readText(env, 'JWT_PRIVATE_KEY');
  if (jwtSecret !== undefined && jwtPrivateKey !== undefined) {
    throw new ConfigError('JWT_SECRET and JWT_PRIVATE_KEY exclude each other: set one of them');
  }
  if (jwtSecret !== undefined && Buffer.byteLength(jwtSecret) < MIN_SECRET_BYTES) {
    throw wrongSetting('JWT_SECRET', `must have at least ${MIN_SECRET_BYTES} bytes`, SECRET_EXAMPLE);
  }
  if (production && jwtSecret === undefined && jwtPrivateKey === undefined) {
    const problem = 'must be set when NODE_ENV is production';
    throw new ConfigError(`JWT_SECRET or JWT_PRIVATE_KEY ${problem}; for example JWT_SECRET=${SECRET_EXAMPLE}`);
  }
  return {
    jwtSecret,
    jwtPrivateKey,
    accessTokenTtlS: readInteger(env, 'ACCESS_TOKEN_TTL_S', 900, 1, YEAR_S),
    refreshTokenTtlS: readInteger(env, 'REFRESH_TOKEN_TTL_S', 2_592_000, 1, YEAR_S),
  };
}
