/** Schema validation of all input: ajv with the contract's formats and keywords. */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { TSchema } from 'typebox';
import type { FieldError } from '../../shared/contract/errors.ts';
import { isDisplayName } from './display-name.ts';
import { ContractError } from './errors.ts';
import { isMetadata, MAX_METADATA_BYTES } from './metadata.ts';

const ISO_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;

const ajv = new Ajv({ allErrors: false, strict: true, strictRequired: false, allowUnionTypes: true });
addFormats.default(ajv, ['email', 'date-time']);
ajv.addFormat('timestamp', {
  type: 'string',
  // V8 parses a date that does not exist (30 February) as a later one; comparing the days finds it.
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

ajv.addKeyword({
  keyword: 'displayName',
  type: 'string',
  schemaType: 'boolean',
  validate: (_isAsked: boolean, text: string) => isDisplayName(text),
  error: { message: 'must show as something, and must NOT turn the writing direction' },
});

ajv.addKeyword({
  keyword: 'isMetadata',
  type: 'object',
  schemaType: 'boolean',
  validate: (_isAsked: boolean, value: object) => isMetadata(value),
  error: {
    message: `must be at most ${MAX_METADATA_BYTES} bytes of JSON, 8 deep, without keys that begin with $ or have a . or NUL`,
  },
});

/** Whether a value is as a schema asks. After a refusal `errors` says why. */
export interface Validate {
  (value: unknown): boolean;
  errors?: ErrorObject[] | null | undefined;
}

/**
 * Compiles a schema of the contract into a validation function, when that is first called: a start that compiled all of
 * them would take a tenth of a second longer. To be called once per schema.
 */
export function compile(schema: TSchema): Validate {
  let compiled: ValidateFunction | undefined;
  const validate: Validate = (value) => {
    compiled ??= ajv.compile(schema);
    const isValid = compiled(value);
    validate.errors = compiled.errors;
    return isValid;
  };
  return validate;
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

/** @returns the contract's `validation_failed` for the value that the function has just refused */
export function validationFailed(validate: Validate): ContractError {
  const details = (validate.errors ?? []).slice(0, 10).map(fieldError);
  const first = details[0];
  const message = first ? `${first.path || 'payload'}: ${first.message}` : 'not valid';
  return new ContractError('validation_failed', message, details);
}
