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

export const connectionLost = () => new ClientError({ code: 'unavailable', message: 'the connection was lost' });
