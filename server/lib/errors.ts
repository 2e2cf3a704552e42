import { ERROR_STATUS, type ErrorCode, type FieldError, type WireError } from '../../shared/contract/errors.ts';

/** A refusal that the contract knows. Anything else that is thrown is a bug and leaves the server as `internal`. */
export class ContractError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;

  constructor(code: ErrorCode, message: string, details?: unknown) {
    super(message);
    this.name = 'ContractError';
    this.code = code;
    this.details = details;
  }

  /** The HTTP status of the code. */
  get status(): number {
    return ERROR_STATUS[this.code];
  }

  /** The error as it goes over the wire. */
  toWire(): WireError {
    return {
      code: this.code,
      message: this.message,
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}

export const unauthenticated = (message = 'authentication is required') =>
  new ContractError('unauthenticated', message);
export const forbidden = (message = 'you may not do this') => new ContractError('forbidden', message);
export const notFound = (what = 'nothing here') => new ContractError('not_found', what);
export const conflict = (message: string, details?: unknown) => new ContractError('conflict', message, details);
export const unavailable = (message = 'a store is not available; nothing was accepted') =>
  new ContractError('unavailable', message);
/** @param retryAfterMs milliseconds until the next attempt can succeed */
export const rateLimited = (retryAfterMs: number) =>
  new ContractError('rate_limited', 'too many requests', { retry_after_ms: Math.ceil(retryAfterMs) });
/** One field that is not as it must be. */
export const invalid = (path: string, message: string) =>
  new ContractError('validation_failed', `${path || 'payload'} ${message}`, [{ path, message } satisfies FieldError]);
