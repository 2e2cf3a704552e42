/** Which pages of browsers may speak to this server (PROTOCOL section 3). */
import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '../config.ts';

/**
 * Whether a page of this origin may: the server's own, that of `PUBLIC_URL`, or one of `CORS_ORIGINS`.
 * @param origin the `Origin` header; a request without one comes from no page and is not asked about
 * @param host the `Host` header. The scheme does not count: behind a proxy the server sees http where the page has https
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
  // Parsed with the page's scheme, so that its default port may be written or not.
  const own = `${page.protocol}//${host}`;
  return host !== undefined && URL.canParse(own) && new URL(own).host === page.host;
}

/** The origins whose pages may although they are not the server's own. */
export function otherOrigins({ corsOrigins, publicUrl }: Pick<Config, 'corsOrigins' | 'publicUrl'>): string[] {
  return publicUrl === undefined ? corsOrigins : [...corsOrigins, new URL(publicUrl).origin];
}

/** The host that a page asked, where Fastify is not there to tell (`request.host`): behind a proxy the proxy knows. */
export function hostOf(headers: IncomingHttpHeaders, { trustProxy }: Pick<Config, 'trustProxy'>): string | undefined {
  const forwarded = trustProxy && headers['x-forwarded-host'];
  return forwarded ? String(forwarded).split(',').at(-1)!.trim() : headers.host;
}
