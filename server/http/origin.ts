/** Which web pages may use this server (PROTOCOL section 3). */
import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config.ts';

/**
 * Whether pages of an origin may use the server: its own, that of `PUBLIC_URL`, and those of `CORS_ORIGINS` may.
 * @param origin the `Origin` header; a request without one comes from no page and needs no check
 * @param host the `Host` header. Its scheme is left out: behind a proxy the server sees http where the page has https
 */
export function isAllowedOrigin(
  origin: string,
  host: string | undefined,
  config: Pick<Config, 'corsOrigins' | 'publicUrl'>,
): boolean {
  if (otherOrigins(config).includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  if (page.origin !== origin.toLowerCase()) return false;
  // Parsed with the page's scheme, so that its default port may be written out or not.
  const own = `${page.protocol}//${host}`;
  return host !== undefined && URL.canParse(own) && new URL(own).host === page.host;
}

/** The allowed origins other than the server's own. */
export function otherOrigins({ corsOrigins, publicUrl }: Pick<Config, 'corsOrigins' | 'publicUrl'>): string[] {
  return publicUrl === undefined ? corsOrigins : [...corsOrigins, new URL(publicUrl).origin];
}

/** The host that a page asked for, as Fastify's `request.host`: behind a trusted proxy, the one that the proxy names. */
export function hostOf(headers: IncomingHttpHeaders, { trustProxy }: Pick<Config, 'trustProxy'>): string | undefined {
  const forwarded = trustProxy && headers['x-forwarded-host'];
  return forwarded ? String(forwarded).split(',').at(-1)!.trim() : headers.host;
}
