/** The part of a storage that belongs to one user: nobody else's client looks into it. */
import { decode, encode } from './records.ts';
import type { Storage } from './storage.ts';

/** What the app is warned of: nothing is lost by it while the client lives. */
export interface ClientWarning {
  code: 'storage_failed' | 'storage_damaged';
  message: string;
  cause?: unknown;
}

export interface Owned {
  storage: Storage;
  /** What the keys begin with. */
  prefix: string;
  /** @returns undefined where there is nothing, or nothing that can be read */
  read<T>(key: string): Promise<T | undefined>;
  /** @returns whether it is kept now */
  write(key: string, value: unknown): Promise<boolean>;
  remove(key: string): Promise<boolean>;
  /** The keys that begin so, in order. */
  keys(prefix: string): Promise<string[]>;
}

/** @param onWarning told of each failure and each damaged value, which is removed */
export function ownedBy(storage: Storage, owner: string, onWarning: (warning: ClientWarning) => void): Owned {
  const prefix = `letsapp/${owner}/`;

  async function tryTo<T>(what: string, otherwise: T, act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      onWarning({ code: 'storage_failed', message: `the storage does not ${what}: ${reason}`, cause });
      return otherwise;
    }
  }
  const remove = (key: string) =>
    tryTo('delete', false, async () => {
      await storage.delete(prefix + key);
      return true;
    });

  return {
    storage,
    prefix,
    remove,
    read: <T>(key: string) =>
      tryTo<T | undefined>('read', undefined, async () => {
        const text = await storage.get(prefix + key);
        if (text === undefined || text === null) return undefined;
        const value = decode<T>(text);
        if (value === undefined) {
          onWarning({ code: 'storage_damaged', message: `what was stored as ${key} is damaged` });
          await remove(key);
        }
        return value;
      }),
    write: (key, value) =>
      tryTo('write', false, async () => {
        await storage.set(prefix + key, encode(value));
        return true;
      }),
    keys: (start) =>
      tryTo<string[]>('list', [], async () => {
        const keys = await storage.keys(prefix + start);
        return keys.map((key) => key.slice(prefix.length)).sort();
      }),
  };
}
