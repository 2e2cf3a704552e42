/** The errors that are not bugs: refusals that the contract knows, and a configuration that cannot work. */
import { ERROR_STATUS, type ErrorCode, type FieldError, type WireError } from '../../shared/contract/errors.ts';

/** A refusal with a code of the contract. Any other error thrown is a bug and leaves the server as `internal`. */
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

/** A setting that the server cannot start with. The message is one line that names the variable and says why. */
export class ConfigError extends Error {}

export const unauthenticated = (message = 'authentication is required') =>
  new ContractError('unauthenticated', message);
export const forbidden = (message = 'this is not allowed') => new ContractError('forbidden', message);
export const notFound = (message = 'not found') => new ContractError('not_found', message);
export const conflict = (message: string, details?: unknown) => new ContractError('conflict', message, details);
/** The default message says what holds where a write was under way. */
export const unavailable = (
  message = 'a store is down or too slow: it is not known whether this took effect; repeat it',
) => new ContractError('unavailable', message);
/** @param retryAfterMs milliseconds until the next attempt can succeed */
export const rateLimited = (retryAfterMs: number) =>
  new ContractError('rate_limited', 'too many requests', { retry_after_ms: Math.ceil(retryAfterMs) });
/**
 * A payload that is not valid.
 * @param path the field, as in `a.b.0`; empty for the payload as a whole
 * @param message what is wrong with it, to follow the path: `must be a number`
 */
export const invalid = (path: string, message: string) =>
  new ContractError('validation_failed', `${path || 'payload'} ${message}`, [{ path, message } satisfies FieldError]);
