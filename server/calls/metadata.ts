import { invalid } from '../lib/errors.ts';

/** Largest metadata, in bytes of UTF-8 JSON. */
const MAX_METADATA_BYTES = 4096;

/**
 * @throws ContractError `validation_failed` when the metadata is too large, or when a property has a name that means
 * something to the database: what is stored must come back unchanged
 */
export function checkMetadata(metadata: Record<string, unknown>): void {
  if (Buffer.byteLength(JSON.stringify(metadata)) > MAX_METADATA_BYTES) {
    throw invalid('metadata', `must NOT have more than ${MAX_METADATA_BYTES} bytes`);
  }
  checkNames(metadata, 'metadata');
}

function checkNames(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name.startsWith('$') || name === '_bsontype' || name === 'toBSON')
      throw invalid(path, `must NOT have a property ${name}`);
    checkNames(inner, `${path}.${name}`);
  }
}
