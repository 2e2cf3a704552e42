import type { ErrorCode, WireError } from './contract.ts';

/** A refusal by the server, or `unavailable` where there is no connection or it was lost before the answer came. */
export class ClientError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;

  /** An app may have the class twice, as `letsapp/testing` brings a client along: one knows the other's errors. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'ClientError' && 'code' in value;
  }

  constructor({ code, message, details }: WireError) {
    super(message);
    this.name = 'ClientError';
    this.code = code;
    this.details = details;
  }
}

/** How long the server asks to wait before the same again, in milliseconds; undefined where waiting does not help. */
export function retryAfter(error: unknown): number | undefined {
  if (!(error instanceof ClientError) || error.code !== 'rate_limited') return undefined;
  const { retry_after_ms } = Object(error.details);
  return typeof retry_after_ms === 'number' ? retry_after_ms : undefined;
}

export const connectionLost = () => new ClientError({ code: 'unavailable', message: 'there is no connection' });

/** Whatever was thrown, as the contract's error. */
export function toClientError(error: unknown): ClientError {
  if (error instanceof ClientError) return error;
  return new ClientError({ code: 'internal', message: error instanceof Error ? error.message : String(error) });
}
