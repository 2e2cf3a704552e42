import { type Environment, readSwitch, readText, readUrl, wrongSetting } from '../lib/environment.ts';
import { ConfigError } from '../lib/errors.ts';

/** The issuer of the server's own access tokens. */
export const OWN_ISSUER = 'letsapp';

/** Another issuer whose tokens are accepted like the server's own (PROTOCOL section 13). */
export interface IssuerConfig {
  /** Where its JWK set (RFC 7517) is. */
  jwksUrl: string;
  /** The `iss` of its tokens. */
  issuer: string;
  /** The `aud` that its tokens for this server have. */
  audience: string;
}

/** Where accounts come from: another issuer, the server itself with passwords, or both. */
export function readIssuer(env: Environment) {
  return {
    issuer: readForeign(env),
    localAccounts: readSwitch(env, 'AUTH_LOCAL', 'on'),
  };
}

function readForeign(env: Environment): IssuerConfig | undefined {
  const jwksUrl = readUrl(env, 'AUTH_JWKS_URL', ['http:', 'https:']);
  const issuer = readText(env, 'AUTH_ISSUER');
  const audience = readText(env, 'AUTH_AUDIENCE');
  if (jwksUrl === undefined && issuer === undefined && audience === undefined) return undefined;
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) {
    throw new ConfigError('AUTH_JWKS_URL, AUTH_ISSUER and AUTH_AUDIENCE need each other: set all three or none');
  }
  const { username, password } = new URL(jwksUrl);
  if (username || password) {
    const example = 'https://login.example.org/.well-known/jwks.json';
    throw wrongSetting('AUTH_JWKS_URL', 'must not contain a user or password', example);
  }
  if (issuer === OWN_ISSUER) {
    const problem = `must not be "${OWN_ISSUER}": that is the issuer of the server's own tokens`;
    throw wrongSetting('AUTH_ISSUER', problem, 'https://login.example.org/');
  }
  return { jwksUrl, issuer, audience };
}
