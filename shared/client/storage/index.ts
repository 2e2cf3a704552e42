/** `letsapp-client/storage`, where there are no folders. */
import type { Storage } from './storage.ts';

export { indexedDb } from './indexed-db.ts';
export { memory } from './memory.ts';
export type { Storage };

/** Keeps each value in a file of its own, in Node. */
export function folder(_path: string): Storage {
  throw new TypeError('folder() needs Node: in a browser use indexedDb()');
}
