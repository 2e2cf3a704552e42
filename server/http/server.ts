/** The HTTP edge: Fastify, set up so that a route need only declare what it takes and does. */
import fastify, { type FastifyInstance, type FastifyTypeProvider } from 'fastify';
import type { Logger } from 'pino';
import type { Static, TSchema } from 'typebox';
import type { ErrorCode } from '../../shared/contract/errors.ts';
import type { Config } from '../config.ts';
import { invalid } from '../lib/errors.ts';
import type { Reach } from '../model/reach.ts';
import { applyContractValidation } from './contract-validation.ts';
import { applyOriginRule } from './cors.ts';
import { applyDeadline } from './deadline.ts';
import { applyErrorAnswers, sendError } from './error-answers.ts';
import { applySecurityHeaders } from './headers.ts';
import { applyJsonBodies } from './json-body.ts';
import type { OriginRefusals } from './origin-refusals.ts';

/** The largest JSON body, equal to a socket's largest frame. Upload routes set their own limit. */
const MAX_JSON_BYTES = 256 * 1024;
/** Longer than the idle timeout of common load balancers (60 s), so that they close connections first. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_TIMEOUT_MS = 20_000;
/** Long enough for an upload over a slow line. */
const REQUEST_TIMEOUT_MS = 600_000;
/** So long that a bad parameter reaches validation and is refused by the contract rather than by the router. */
const MAX_PARAM_LENGTH = 8192;

export interface HttpServerOptions {
  config: Pick<Config, 'corsOrigins' | 'publicUrl' | 'trustProxy'>;
  reach: Reach;
  originRefusals: OriginRefusals;
  log: Logger;
}

declare module 'fastify' {
  interface FastifySchema {
    /** One sentence; like all of these, for the published documents. */
    summary?: string;
    /** The media types of a body that no schema describes. */
    consumes?: string[];
    /** Refusals besides those that any request may meet. */
    errors?: readonly ErrorCode[];
    /** A request that succeeds. */
    example?: { body?: unknown; answer?: unknown };
    /** Left out of the published documents: pages and what belongs to them. */
    hide?: boolean;
  }
}

/** Types the bodies and parameters of routes by the contract's schemas: `app.withTypeProvider<ContractTypes>()`. */
export interface ContractTypes extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

/** @returns a Fastify instance without routes; it does not listen yet */
export function createHttpServer({ config, reach, originRefusals, log }: HttpServerOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_JSON_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // The front door asks for a `Host`, and says so when there is none.
    http: { headersTimeout: HEADERS_TIMEOUT_MS, requireHostHeader: false },
    forceCloseConnections: 'idle',
    // While it drains, the server still answers what comes in.
    return503OnClosing: false,
    // Only the nearest proxy is believed: addresses before it in X-Forwarded-For are whatever the client wrote.
    trustProxy: config.trustProxy ? (_address, hop) => hop === 0 : false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // An address that cannot be decoded, such as /%zz.
    frameworkErrors: (_error, _request, reply) => sendError(reply, invalid('url', 'is not valid').toWire()),
  });
  app.decorateRequest('caller');
  app.decorateRequest('serverKey', undefined);
  applyContractValidation(app);
  applyRequestLog(app, log);
  applySecurityHeaders(app);
  applyOriginRule(app, config, originRefusals);
  applyJsonBodies(app);
  applyErrorAnswers(app, log);
  applyDeadline(app, reach);
  return app;
}

/** Logs each request by its route, not its address, which may hold the token of a link. */
function applyRequestLog(app: FastifyInstance, log: Logger): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    log.debug({ method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'http');
  });
}
