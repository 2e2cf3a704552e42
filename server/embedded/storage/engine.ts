import { type Catalog, openCatalog } from './catalog.ts';
import type { Collection } from './collection.ts';
import { type Cursors, createCursors } from './cursors.ts';
import type { StorageOptions } from './durable-writes.ts';
import { createMoving, type Moving } from './moving.ts';
import { openRecords, type Records } from './records.ts';
import { openStorage, type Storage } from './storage.ts';

/** What commands work on. */
export interface Engine {
  storage: Storage;
  catalog: Catalog;
  records: Records;
  cursors: Cursors;
  moving: Moving;
  /** As `Storage.write`, unless the database is being moved: then it rejects with the Fault TemporarilyUnavailable. */
  write<T>(action: () => T): Promise<T>;
  /** As `Moving.pause`; resolves when all that was written before is on disk. */
  pauseWrites(ms: number): Promise<number>;
  /** Within a write: the collection, which is made if it does not exist. */
  ensure(namespace: string): Collection;
  close(): Promise<void>;
}

/**
 * Opens the database in the folder.
 * @throws what `openStorage` throws
 */
export function openEngine(folder: string, options: StorageOptions = {}): Engine {
  const storage = openStorage(folder, { ...options, onRestored });
  const catalog = openCatalog(storage);
  function onRestored(): void {
    catalog.reload();
    moving.undone();
  }
  const moving = createMoving(folder, (reason) => options.onRefusing?.(reason));
  return {
    storage,
    catalog,
    records: moving.watched(openRecords(storage, catalog)),
    cursors: createCursors(),
    moving,
    write: (action) =>
      storage.write(() => {
        moving.assertWritable();
        return action();
      }),
    pauseWrites: (ms) => storage.write(() => moving.pause(ms)),
    ensure: (namespace) => catalog.find(namespace) ?? catalog.create(namespace, {}),
    async close() {
      moving.close();
      await storage.close();
    },
  };
}
