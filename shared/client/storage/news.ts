/** Clients on one storage tell each other that it has changed: within a process, and between the tabs of an origin. */
import type { Storage } from './storage.ts';

/** How often a program looks for what other processes have changed, in milliseconds: nothing tells it. */
const LOOK_MS = 1000;

const listeners = new WeakMap<Storage, Set<() => void>>();

export interface News {
  tell(): void;
  close(): void;
}

/** @param name the part of the storage that it is about */
export function createNews(storage: Storage, name: string, onNews: () => void): News {
  const here = listeners.get(storage) ?? new Set();
  listeners.set(storage, here.add(onNews));
  const { document } = globalThis as { document?: unknown };
  const channel =
    document && typeof BroadcastChannel !== 'undefined' ? new BroadcastChannel(`letsapp ${name}`) : undefined;
  if (channel) channel.onmessage = onNews;
  // A storage with a lock of its own is one that other processes may use.
  const timer = !channel && storage.lock ? setInterval(onNews, LOOK_MS) : undefined;

  return {
    tell() {
      for (const listener of here) if (listener !== onNews) listener();
      channel?.postMessage(undefined);
    },
    close() {
      here.delete(onNews);
      channel?.close();
      clearInterval(timer);
    },
  };
}
