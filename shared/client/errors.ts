import type { ErrorCode, WireError } from '../contract/errors.ts';

/** A refusal by the server, or `unavailable` when the connection was lost before the answer came. */
export class ClientError extends Error {
  readonly code: ErrorCode;
  readonly details: unknown;
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

export const connectionLost = () => new ClientError({ code: 'unavailable', message: 'the connection was lost' });
