/** What the published documents have in common. */
import { ERROR_STATUS } from '../../shared/contract/errors.ts';
import { PROTOCOL_VERSION } from '../../shared/contract/session.ts';
import { MAX_METADATA_BYTES } from '../lib/metadata.ts';

export const INFO = {
  title: 'LetsApp',
  version: `${PROTOCOL_VERSION}.0.0`,
  license: { name: 'MIT', url: 'https://opensource.org/license/mit' },
};

/** The JSON Schema of the contract's errors. */
export const ERROR_SCHEMA = {
  type: 'object',
  required: ['code', 'message'],
  properties: {
    code: { type: 'string', enum: Object.keys(ERROR_STATUS) },
    message: { type: 'string' },
    details: { description: 'For `validation_failed`: an array of `{ path, message }`.' },
  },
};

/**
 * Translates a schema of the contract into plain JSON Schema: the contract's own formats and keywords become standard
 * ones, as far as there are any, and `x-` extensions.
 */
export function toPlainSchema(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toPlainSchema);
  if (schema === null || typeof schema !== 'object') return schema;
  const { maxBytes, minBytes, displayName, isMetadata, ...rest } = schema as Record<string, unknown>;
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(rest)) {
    plain[name] = name === 'format' && value === 'timestamp' ? 'date-time' : toPlainSchema(value);
  }
  if (typeof maxBytes === 'number') Object.assign(plain, { maxLength: maxBytes, 'x-max-bytes': maxBytes });
  if (typeof minBytes === 'number') plain['x-min-bytes'] = minBytes;
  if (isMetadata === true) plain['x-max-bytes'] = MAX_METADATA_BYTES;
  if (displayName === true) plain['x-display-name'] = true;
  return plain;
}
