/** The bounds of an integrator's own data on a message, a group or a user (PROTOCOL section 4). */

/** Largest metadata, in bytes of UTF-8 JSON. */
export const MAX_METADATA_BYTES = 4096;
/** The deepest nesting: the object itself is 1, lists count. */
const MAX_METADATA_DEPTH = 8;

/** Whether an object may be somebody's metadata: it can be kept, and given back as it came. */
export function isMetadata(value: object): boolean {
  return isKept(value, 1) && Buffer.byteLength(JSON.stringify(value)) <= MAX_METADATA_BYTES;
}

function isKept(value: unknown, depth: number): boolean {
  // A number too large for JavaScript, such as 1e400, would come back as null.
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || value === null) return true;
  if (depth > MAX_METADATA_DEPTH) return false;
  if (Array.isArray(value)) return value.every((element) => isKept(element, depth + 1));
  return Object.entries(value).every(([key, inner]) => isKey(key) && isKept(inner, depth + 1));
}

function isKey(key: string): boolean {
  return !key.startsWith('$') && !key.includes('.') && !key.includes('\0');
}
