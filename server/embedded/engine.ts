import type { Catalog, Collection } from './catalog.ts';
import { openCatalog } from './catalog.ts';
import type { Cursors } from './cursors.ts';
import { createCursors } from './cursors.ts';
import type { Records } from './records.ts';
import { openRecords } from './records.ts';
import { openStorage, type Storage } from './storage.ts';

/** What commands work on. */
export interface Engine {
  storage: Storage;
  catalog: Catalog;
  records: Records;
  cursors: Cursors;
  /** As `Storage.write`. */
  write<T>(action: () => T): Promise<T>;
  /** Within a write: the collection, made if there is none. */
  ensure(namespace: string): Collection;
  close(): Promise<void>;
}

/** Readers lag behind the last commit by one at most; old versions of the catalog are kept far longer than that. */
const KEPT_VERSIONS = 10_000;

/** Opens the database in the folder. */
export function openEngine(folder: string): Engine {
  const storage = openStorage(folder);
  const catalog = openCatalog(storage);
  return {
    storage,
    catalog,
    records: openRecords(storage, catalog),
    cursors: createCursors(),
    async write(action) {
      const result = await storage.write(action);
      catalog.forgetBefore(catalog.currentNumber() - KEPT_VERSIONS);
      return result;
    },
    ensure: (namespace) => catalog.find(namespace) ?? catalog.create(namespace, {}),
    close: () => storage.close(),
  };
}
