/** Pools of worker threads that cost nothing at start: neither the pool nor a thread is there before it is needed. */
import type { Tinypool } from 'tinypool';
import { threadFile } from './thread-file.ts';

export interface ThreadPoolOptions {
  maxThreads: number;
  /** After how long without a task a thread ends, in milliseconds. */
  idleTimeout: number;
  /** Memory of a thread, in MiB. */
  heapMib?: number;
}

export interface ThreadPool {
  /**
   * Runs a function of the threads' module, as soon as a thread is free.
   * @param name the function's
   * @param signal ends the thread, and with it the task
   */
  run<T>(name: string, task: unknown, signal?: AbortSignal): Promise<T>;
  /** Ends the threads; what they were doing fails. */
  close(): Promise<void>;
}

/** @param module what the threads run, as for `threadFile` */
export function createThreadPool(module: string, { heapMib, ...options }: ThreadPoolOptions): ThreadPool {
  let loading: Promise<Tinypool> | undefined;

  async function load(): Promise<Tinypool> {
    const { Tinypool } = await import('tinypool');
    return new Tinypool({
      ...threadFile(module),
      ...options,
      minThreads: 0,
      ...(heapMib === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMib } }),
    });
  }

  return {
    async run(name, task, signal) {
      loading ??= load();
      return (await loading).run(task, { name, ...(signal ? { signal } : {}) });
    },
    close: async () => (await loading)?.destroy(),
  };
}
