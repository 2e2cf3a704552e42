/**
 * How metadata is stored: as the text of its JSON. The database would read a meaning into some names (`_bsontype`), and
 * nobody looks into it: so what comes back is what came, with its order of keys.
 */

/** @returns the stored form; undefined where there is nothing to store */
export function storedMetadata(metadata: Record<string, unknown> | undefined): string | undefined {
  if (metadata === undefined || Object.keys(metadata).length === 0) return undefined;
  return JSON.stringify(metadata);
}

/** @returns the wire form, as a property to spread: nothing where there is none */
export function wireMetadata(stored: string | undefined): { metadata?: Record<string, unknown> } {
  return stored === undefined ? {} : { metadata: JSON.parse(stored) };
}
