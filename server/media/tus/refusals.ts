/** What the tus protocol refuses, in the form of the contract's errors. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ERROR_STATUS, type ErrorCode, type WireError } from '../../../shared/contract/errors.ts';
import { PIECE_TYPE, VERSION } from './protocol.ts';

const CODES: Record<number, ErrorCode> = {
  404: 'not_found',
  409: 'conflict',
  410: 'not_found',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  500: 'internal',
};

export interface Refusal {
  /** The HTTP status; tus has statuses that the contract's codes do not. */
  status: number;
  error: WireError;
}

/** @param text the reason */
export function refusalOf(status: number, text: string): Refusal {
  const code = CODES[status] ?? 'validation_failed';
  const message = text.trim();
  const details = code === 'validation_failed' ? { details: [{ path: '', message }] } : {};
  return { status, error: { code, message, ...details } };
}

/** The refusal that is one of the contract's errors. */
export function contractRefusal(error: WireError): Refusal {
  return { status: ERROR_STATUS[error.code], error };
}

/** Refuses another version and a PATCH of another content type, which the tus server takes for malformed headers. */
export function refusalOfHeaders({ method, headers }: FastifyRequest): Refusal | undefined {
  const version = headers['tus-resumable'];
  if (version !== undefined && version !== VERSION) return refusalOf(412, 'another version of the protocol');
  if (method === 'PATCH' && headers['content-type'] !== PIECE_TYPE) return refusalOf(415, `must be ${PIECE_TYPE}`);
  return undefined;
}

/** The tus server answers a missing header with 403; but that is no question of rights, so the client gets 400. */
export function sendRefusal(reply: FastifyReply, { status, error }: Refusal): FastifyReply {
  return reply
    .code(status === 403 ? 400 : status)
    .type('application/json; charset=utf-8')
    .send({ error });
}
