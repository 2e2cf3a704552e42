/** Security headers, on every answer unless its route sets its own. */
import type { FastifyInstance } from 'fastify';

/** A page of this server may load from the server itself, show media that it made, and open sockets. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "base-uri 'none'",
  "connect-src 'self' ws: wss:",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "object-src 'none'",
].join('; ');

export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'cross-origin-opener-policy': 'same-origin',
  // Addresses can hold tokens of links; no other site is to learn them.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};
/** Browsers that came over TLS keep to it for half a year (RFC 6797). */
const STRICT_TRANSPORT_SECURITY = 'max-age=15552000';

/** Adds the headers at the start of each request. */
export function applySecurityHeaders(app: FastifyInstance): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    if (request.protocol === 'https') reply.header('strict-transport-security', STRICT_TRANSPORT_SECURITY);
  });
}
