/** Validation of everything that comes in: ajv with the contract's formats and keywords, compiled once at start. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { TSchema } from 'typebox';
import type { FieldError } from '../../shared/contract/errors.ts';
import { ContractError } from './errors.ts';

/** Objects and arrays nested deeper are refused (PROTOCOL section 1). */
export const MAX_DEPTH = 32;

const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

const ajv = new Ajv({ allErrors: false, strict: true, strictRequired: false, allowUnionTypes: true });
addFormats.default(ajv, ['email', 'date-time']);
ajv.addFormat('timestamp', {
  type: 'string',
  // A date that does not exist (30 February) parses in V8 as the day after; comparing the days tells.
  validate: (text: string) =>
    ISO_UTC.test(text) && new Date(text).getUTCDate() === Number(text.slice(8, 10)) && !Number.isNaN(Date.parse(text)),
});
ajv.addKeyword({
  keyword: 'maxBytes',
  type: 'string',
  schemaType: 'number',
  validate: (limit: number, text: string) => text.length <= limit && Buffer.byteLength(text) <= limit,
  error: { message: ({ schema }) => `must NOT have more than ${schema} bytes` },
});
ajv.addKeyword({
  keyword: 'minBytes',
  type: 'string',
  schemaType: 'number',
  validate: (limit: number, text: string) => Buffer.byteLength(text) >= limit,
  error: { message: ({ schema }) => `must NOT have fewer than ${schema} bytes` },
});

/** Compiles a schema of the contract; the function it gives is ajv's. */
export function compile(schema: TSchema): ValidateFunction {
  return ajv.compile(schema);
}

function fieldError(error: ErrorObject): FieldError {
  const at = error.instancePath.slice(1).replaceAll('/', '.');
  const named =
    error.keyword === 'additionalProperties'
      ? String(error.params.additionalProperty)
      : error.keyword === 'required'
        ? String(error.params.missingProperty)
        : '';
  const path = [at, named].filter(Boolean).join('.');
  return { path, message: error.message ?? 'is not valid' };
}

/** What ajv says of the last value, as the contract's `validation_failed`. */
export function validationFailed(validate: ValidateFunction): ContractError {
  const details = (validate.errors ?? []).slice(0, 10).map(fieldError);
  const first = details[0];
  const message = first ? `${first.path || 'payload'}: ${first.message}` : 'not valid';
  return new ContractError('validation_failed', message, details);
}

/**
 * What no schema says: plain JSON only, not nested deeper than 32, no NUL and no lone surrogate in any string or name.
 * @param opaque the name of a top-level property whose texts and names are not looked at (the `signal` of a call)
 * @throws ContractError `validation_failed`
 */
export function assertPlain(value: unknown, opaque?: string): void {
  walk(value, '', 1, false, opaque);
}

function walk(value: unknown, path: string, depth: number, isOpaque: boolean, opaque?: string): void {
  if (typeof value === 'string') {
    if (!isOpaque) assertText(value, path);
    return;
  }
  if (value === null || typeof value !== 'object') {
    if (typeof value === 'function' || typeof value === 'bigint') throw refuse(path, 'must be JSON');
    return;
  }
  if (depth > MAX_DEPTH) throw refuse(path, `must NOT be nested deeper than ${MAX_DEPTH}`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) walk(value[i], `${path}.${i}`, depth + 1, isOpaque);
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refuse(path, 'must be JSON');
  for (const key of Object.keys(value)) {
    if (key === '__proto__') throw refuse(path, 'must NOT have a property __proto__');
    if (!isOpaque) assertText(key, path);
    const inner = path ? `${path}.${key}` : key;
    walk((value as Record<string, unknown>)[key], inner, depth + 1, isOpaque || key === opaque);
  }
}

function assertText(text: string, path: string): void {
  if (text.includes('\0')) throw refuse(path, 'must NOT have NUL');
  if (!text.isWellFormed()) throw refuse(path, 'must NOT have lone surrogates');
}

function refuse(path: string, message: string): ContractError {
  return new ContractError('validation_failed', `${path || 'payload'} ${message}`, [{ path, message }]);
}
