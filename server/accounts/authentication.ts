/** Authentication by the server's own tokens and, where one is configured, by those of another issuer. */
import type { Config } from '../config.ts';
import type { Authenticate } from '../http/authentication.ts';
import { createIssuerAuthentication, type IssuerAuthenticationOptions } from './issuer/authentication.ts';
import { type AuthenticationOptions, createAuthentication } from './sessions/authentication.ts';

export interface AnyAuthenticationOptions extends AuthenticationOptions, Omit<IssuerAuthenticationOptions, 'config'> {
  config: Pick<Config, 'issuer'>;
}

/** The token itself says who issued it; then only that issuer's keys can verify it. */
export function createAnyAuthentication(options: AnyAuthenticationOptions): {
  authenticate: Authenticate;
  close(): void;
} {
  const own = createAuthentication(options);
  const { issuer: config } = options.config;
  if (!config) return { authenticate: own, close() {} };
  const issuer = createIssuerAuthentication({ ...options, config });
  return {
    authenticate: (token) => (issuer.claimsToBe(token) ? issuer.authenticate(token) : own(token)),
    close: issuer.close,
  };
}
