/** `letsapp-client/storage` in Node. */
export { folder } from './folder.ts';
export { indexedDb } from './indexed-db.ts';
export { memory } from './memory.ts';
export type { Storage } from './storage.ts';
