/** The HTTP edge: Fastify, configured so that every route need only declare what it takes and what it does. */
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyTypeProvider } from 'fastify';
import type { Logger } from 'pino';
import type { Static, TSchema } from 'typebox';
import type { WireError } from '../../shared/contract/errors.ts';
import { Empty } from '../../shared/contract/values.ts';
import type { Config } from '../config.ts';
import { invalid } from '../lib/errors.ts';
import { assertPlain, compile, validationFailed } from '../lib/validation.ts';
import { applyOriginRule } from './cors.ts';
import { applyErrorAnswers, sendError } from './error-answers.ts';
import { applySecurityHeaders } from './headers.ts';
import { applyJsonBodies } from './json-body.ts';

/** Largest JSON body, the same as a socket's largest frame. Routes of uploads set their own. */
const MAX_JSON_BYTES = 256 * 1024;
/** Longer than the idle timeout of usual load balancers (60 s), so that they close first. */
const KEEP_ALIVE_MS = 65_000;
const HEADERS_TIMEOUT_MS = 20_000;
/** Long enough for an upload over a slow line. */
const REQUEST_TIMEOUT_MS = 600_000;
/** Longer ones are not_found or validation_failed like any other; this only keeps the router's own answer away. */
const MAX_PARAM_LENGTH = 8192;

export interface HttpServerOptions {
  config: Pick<Config, 'corsOrigins' | 'publicUrl' | 'trustProxy'>;
  log: Logger;
}

declare module 'fastify' {
  interface FastifySchema {
    /** One sentence for the published documents. */
    summary?: string;
  }
}

/** Types the bodies and parameters of routes by the contract's schemas: `app.withTypeProvider<ContractTypes>()`. */
export interface ContractTypes extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

/** A Fastify instance without routes; it does not listen yet. */
export function createHttpServer({ config, log }: HttpServerOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: MAX_JSON_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { headersTimeout: HEADERS_TIMEOUT_MS },
    forceCloseConnections: 'idle',
    // While it drains, what still comes in is answered as ever.
    return503OnClosing: false,
    // The proxy in front alone is believed: further addresses in X-Forwarded-For are whatever the client wrote.
    trustProxy: config.trustProxy ? (_address, hop) => hop === 0 : false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    // An address that cannot be decoded, such as /%zz.
    frameworkErrors: (_error, _request, reply) => sendError(reply, invalid('url', 'is not valid').toWire()),
    clientErrorHandler: answerBadHttp,
  });
  // Contract schemas everywhere, by the one validation; answers are typed and need no schema to be written.
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const validate = compile(schema as TSchema);
    return (value: unknown) => {
      try {
        // Parameters come as objects of a prototype of the router's own.
        assertPlain(httpPart === 'body' ? value : { ...(value as object) });
      } catch (error) {
        return { error: error as Error };
      }
      return validate(value) ? { value } : { error: validationFailed(validate) };
    };
  });
  app.decorateRequest('caller');
  app.setSerializerCompiler(() => JSON.stringify);
  const isEmpty = compile(Empty);
  // None and `null` are `{}`, as with socket commands. Routes that declare no body take none but that.
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.schema?.body) request.body ??= {};
    else if (!isEmpty(request.body ?? {})) throw validationFailed(isEmpty);
  });
  app.addHook('onResponse', async (request, reply) => {
    // The route and not the address: an address may hold the token of a link.
    const route = request.routeOptions.url ?? 'unknown';
    log.debug({ method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'http');
  });
  applySecurityHeaders(app);
  applyOriginRule(app, config);
  applyJsonBodies(app);
  applyErrorAnswers(app, log);
  return app;
}

/** What is no HTTP gets a last answer in the contract's form, and its connection closed. */
function answerBadHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const wire: WireError = tooLarge
    ? { code: 'payload_too_large', message: 'the headers are too large' }
    : { code: 'validation_failed', message: 'this is not HTTP', details: [] };
  const body = JSON.stringify({ error: wire });
  const status = tooLarge ? '413 Payload Too Large' : '400 Bad Request';
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
}
