/** The error codes of the contract, each with its HTTP status (PROTOCOL section 1). */
export const ERROR_STATUS = {
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  validation_failed: 400,
  conflict: 409,
  busy: 409,
  payload_too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
} as const;

export type ErrorCode = keyof typeof ERROR_STATUS;

export interface WireError {
  code: ErrorCode;
  message: string;
  details?: unknown;
}

/** One entry of the `details` of `validation_failed` and of a `conflict` on a field. */
export interface FieldError {
  path: string;
  message: string;
}

/** The acknowledgement of a socket command. */
export type Ack<D> = { ok: true; data: D } | { ok: false; error: WireError };
