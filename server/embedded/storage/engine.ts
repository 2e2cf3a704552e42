import { type Catalog, openCatalog } from './catalog.ts';
import type { Collection } from './collection.ts';
import { type Cursors, createCursors } from './cursors.ts';
import type { StorageOptions } from './durable-writes.ts';
import { openRecords, type Records } from './records.ts';
import { openStorage, type Storage } from './storage.ts';

/** What commands work on. */
export interface Engine {
  storage: Storage;
  catalog: Catalog;
  records: Records;
  cursors: Cursors;
  /** As `Storage.write`. */
  write<T>(action: () => T): Promise<T>;
  /** Within a write: the collection, which is made if it does not exist. */
  ensure(namespace: string): Collection;
  close(): Promise<void>;
}

/**
 * Opens the database in the folder.
 * @throws what `openStorage` throws
 */
export function openEngine(folder: string, options: StorageOptions = {}): Engine {
  const storage = openStorage(folder, { ...options, onRestored: () => catalog.reload() });
  const catalog = openCatalog(storage);
  return {
    storage,
    catalog,
    records: openRecords(storage, catalog),
    cursors: createCursors(),
    write: storage.write,
    ensure: (namespace) => catalog.find(namespace) ?? catalog.create(namespace, {}),
    close: () => storage.close(),
  };
}
