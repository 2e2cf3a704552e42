import type { Storage } from './storage.ts';

const TABLE = 'values';

/**
 * Keeps everything in the browser's IndexedDB, for all tabs of the origin.
 * @param name of the database, made if it is missing
 */
export function indexedDb(name: string): Storage {
  let opening: Promise<IDBDatabase> | undefined;

  function open(): Promise<IDBDatabase> {
    opening ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => void request.result.createObjectStore(TABLE);
      request.onsuccess = () => {
        const database = request.result;
        const forget = () => {
          opening = undefined;
        };
        // Whoever deletes it, or opens a later version, is not kept waiting; the next use opens it anew.
        database.onversionchange = () => {
          database.close();
          forget();
        };
        database.onclose = forget;
        resolve(database);
      };
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error('the database is in use'));
    }).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return opening;
  }

  /** One request in a transaction of its own; a write is there once its transaction is complete. */
  async function ask<T>(mode: IDBTransactionMode, act: (table: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    const transaction = (await open()).transaction(TABLE, mode);
    const request = act(transaction.objectStore(TABLE));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? request.error);
      transaction.onerror = () => reject(transaction.error ?? request.error);
    });
  }

  return {
    get: (key) => ask<string | undefined>('readonly', (table) => table.get(key)),
    async set(key, value) {
      await ask('readwrite', (table) => table.put(value, key));
    },
    async delete(key) {
      await ask('readwrite', (table) => table.delete(key));
    },
    async keys(prefix) {
      const range = IDBKeyRange.bound(prefix, `${prefix}\uffff`);
      return (await ask('readonly', (table) => table.getAllKeys(range))) as string[];
    },
  };
}
