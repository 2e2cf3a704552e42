/** The answers of operations: successes by their schemas, refusals by the contract's codes. */
import type { TSchema } from 'typebox';
import { COMMON_ERRORS } from '../../shared/contract/define.ts';
import { ERROR_STATUS, type ErrorCode } from '../../shared/contract/errors.ts';
import { ERROR, type Schemas } from './document-schemas.ts';

/** By the code that the response is named by: `busy` shares that of `conflict`. */
const REFUSALS: Record<Exclude<ErrorCode, 'busy'>, string> = {
  unauthenticated: 'Nobody is signed in by what was sent.',
  forbidden: 'Known, but not allowed; also a page of an origin that may not use this server.',
  not_found: 'There is no such thing, or the caller may not know of it.',
  validation_failed: 'What was sent is not valid; `details` says where.',
  conflict: 'It does not fit what is there by now; `busy` where somebody is in another call.',
  payload_too_large: 'More than is taken.',
  unsupported_media_type: 'Of a type that is not taken here.',
  rate_limited: 'Too often; `details.retry_after_ms` and `Retry-After` say when to try again.',
  unavailable: 'A store is down or too slow: repeat it.',
  internal: 'A fault of the server.',
};
type Named = keyof typeof REFUSALS;
const DETAILS: Partial<Record<Named, unknown>> = {
  validation_failed: [{ path: 'content', message: 'must be string' }],
  rate_limited: { retry_after_ms: 1200 },
};
const DONE: Record<string, string> = {
  200: 'Done.',
  201: 'Made.',
  202: 'Taken.',
  204: 'Done.',
  206: 'A part of it.',
  304: 'It has not changed.',
};

/** @returns one refusal as it goes over the wire */
export function exampleOf(code: Named): object {
  const details = DETAILS[code];
  return { code, message: REFUSALS[code].split(/[;:,.]/)[0]!, ...(details ? { details } : {}) };
}

/** @returns the response components, by code */
export function describeRefusals(schemas: Schemas): Record<string, object> {
  const schema = schemas.named(...ERROR);
  return Object.fromEntries(
    Object.entries(REFUSALS).map(([code, description]) => [
      code,
      {
        description,
        content: { 'application/json': { schema, example: { error: exampleOf(code as Named) } } },
      },
    ]),
  );
}

/** @returns references to the refusals, by status, the commoner of two codes with one status first */
export function refusals(codes: readonly ErrorCode[]): Record<string, object> {
  const all = [...codes, ...COMMON_ERRORS].map((code) => [
    String(ERROR_STATUS[code]),
    { $ref: `#/components/responses/${code === 'busy' ? 'conflict' : code}` },
  ]);
  return Object.fromEntries(all);
}

/**
 * @param response by status: a schema of JSON, null for an answer without a body, or one with `contentMediaType`
 * @param describe gives the schema of a JSON answer
 * @param example an answer that is a success
 */
export function successes(
  response: Record<string, TSchema>,
  describe: (schema: TSchema, status: string) => unknown,
  example: unknown,
): Record<string, object> {
  const described = Object.entries(response).map(([status, schema]) => {
    const { type, contentMediaType, description = DONE[status] ?? 'Done.' } = schema as Record<string, string>;
    if (type === 'null') return [status, { description }];
    if (contentMediaType !== undefined) return [status, { description, content: { [contentMediaType]: {} } }];
    return [status, { description, content: json(describe(schema, status), status < '300' ? example : undefined) }];
  });
  return described.length > 0 ? Object.fromEntries(described) : { '2XX': { description: 'Done.' } };
}

/** Content in JSON, with an example where there is one. */
export function json(schema: unknown, example: unknown): Record<string, object> {
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
}
