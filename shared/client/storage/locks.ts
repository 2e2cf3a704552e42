/** Locks by name, in the order asked for: within this process, and between the tabs of an origin where there are some. */
import type { Storage } from './storage.ts';

/** The part of the Web Locks API that is used. */
interface WebLocks {
  request<T>(name: string, options: { signal?: AbortSignal }, task: () => Promise<T>): Promise<T>;
}

const queues = new WeakMap<Storage, Map<string, Promise<unknown>>>();

/** The Web Locks of a browser. Node has them too, but only for the threads of a process. */
function webLocks(): WebLocks | undefined {
  const { document, navigator } = globalThis as { document?: unknown; navigator?: { locks?: WebLocks } };
  return document ? navigator?.locks : undefined;
}

/**
 * Runs a task while nobody else who uses the storage runs one under the same name.
 * @throws the signal's reason, where there is one, when it is aborted before the task began
 */
export function withLock<T>(storage: Storage, name: string, task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  if (storage.lock) return storage.lock(name, task, signal);
  const web = webLocks();
  if (web) return web.request(`letsapp ${name}`, signal ? { signal } : {}, task);
  return inProcess(storage, name, task, signal);
}

/** Within this process, for all who hold the same storage. */
export async function inProcess<T>(
  storage: Storage,
  name: string,
  task: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const names = queues.get(storage) ?? new Map<string, Promise<unknown>>();
  queues.set(storage, names);
  const before = names.get(name);
  const run = (before ?? Promise.resolve()).then(() => {
    if (signal?.aborted) throw signal.reason ?? new Error('aborted');
    return task();
  });
  const settled = run.catch(() => {});
  names.set(name, settled);
  return run;
}
