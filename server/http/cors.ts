/** The Origin rule on HTTP (PROTOCOL section 3), and CORS (Fetch standard) for the origins that it allows. */
import type { FastifyInstance } from 'fastify';
import type { Config } from '../config.ts';
import { forbidden } from '../lib/errors.ts';
import { isAllowedOrigin } from './origin.ts';
import type { OriginRefusals } from './origin-refusals.ts';

const METHODS = 'GET, HEAD, POST, PATCH, DELETE';
/** The last four belong to the tus protocol. */
const REQUEST_HEADERS =
  'Authorization, Content-Type, Range, If-None-Match, If-Range, Tus-Resumable, Upload-Length, Upload-Metadata, Upload-Offset';
const RESPONSE_HEADERS =
  'Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Location, Retry-After, Tus-Resumable, ' +
  'Upload-Expires, Upload-Length, Upload-Offset, WWW-Authenticate';
const PREFLIGHT_AGE_S = '600';

/**
 * Refuses pages of other origins with 403, answers preflights, and adds the CORS headers.
 * @param refusals is told each refusal
 */
export function applyOriginRule(
  app: FastifyInstance,
  config: Pick<Config, 'corsOrigins' | 'publicUrl'>,
  refusals: OriginRefusals,
): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('vary', 'Origin');
    const { origin } = request.headers;
    if (origin === undefined) return;
    if (!isAllowedOrigin(origin, request.host, config)) {
      refusals.note(origin);
      throw forbidden('pages of this origin may not use this server');
    }
    reply.header('access-control-allow-origin', origin);
    reply.header('access-control-expose-headers', RESPONSE_HEADERS);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      return reply
        .header('access-control-allow-methods', METHODS)
        .header('access-control-allow-headers', REQUEST_HEADERS)
        .header('access-control-max-age', PREFLIGHT_AGE_S)
        .code(204)
        .send();
    }
  });
}
