/** Sends every failure of an HTTP request as `{ error: { code, message, details? } }` (PROTOCOL section 1). */
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { Logger } from 'pino';
import { ERROR_STATUS, type ErrorCode, type WireError } from '../../shared/contract/errors.ts';
import { toWireError } from '../dispatch/wire-error.ts';
import { ContractError, notFound } from '../lib/errors.ts';

/** The contract's codes for what Fastify and its plugins refuse by themselves, by the status they would answer. */
const CODES: Record<number, ErrorCode> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'not_found',
  406: 'unsupported_media_type',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
};

/** Sets the handlers for errors and unknown routes. */
export function applyErrorAnswers(app: FastifyInstance, log: Logger): void {
  // Before the body is read: on an unknown route it does not matter what is wrong with it.
  app.addHook('onRequest', async (request) => {
    if (request.is404) throw notFound('no such route');
  });
  app.setErrorHandler((error, request, reply) => {
    const what = `${request.method} ${request.routeOptions.url ?? 'unknown route'}`;
    return sendError(reply, toWireError(asContractError(error), what, log));
  });
  app.setNotFoundHandler((_request, reply) => sendError(reply, notFound('no such route').toWire()));
}

/** Sends an error with its status and headers. */
export function sendError(reply: FastifyReply, error: WireError): FastifyReply {
  if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
  const retryAfterMs = (error.details as { retry_after_ms?: number } | undefined)?.retry_after_ms;
  if (retryAfterMs !== undefined) reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
  return reply.code(ERROR_STATUS[error.code]).type('application/json; charset=utf-8').send({ error });
}

/** Translates a refusal of Fastify's own; returns any other error as it is. */
function asContractError(error: unknown): unknown {
  if (error instanceof ContractError) return error;
  const { statusCode, message } = error as FastifyError;
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return error;
  const code = CODES[statusCode] ?? 'validation_failed';
  return new ContractError(code, message, code === 'validation_failed' ? [{ path: '', message }] : undefined);
}
