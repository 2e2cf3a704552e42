/** Ordering by key: work under one key runs one at a time, in order; different keys run side by side. */

export interface KeyedQueue {
  /**
   * Runs work once everything queued under the key has succeeded or failed; at once if nothing is queued.
   * @returns what the work returns; rejects as the work does
   */
  run<R>(key: string, work: () => Promise<R>): Promise<R>;
  /** Whether nothing is queued under the key. */
  isIdle(key: string): boolean;
  /** Resolves when everything now queued under the key has ended; never rejects. */
  settled(key: string): Promise<void>;
}

/** Holds a key only while work is queued under it. */
export function createKeyedQueue(): KeyedQueue {
  const last = new Map<string, Promise<unknown>>();
  return {
    async run(key, work) {
      const before = last.get(key);
      const turn = before ? before.then(work, work) : work();
      last.set(key, turn);
      try {
        return await turn;
      } finally {
        if (last.get(key) === turn) last.delete(key);
      }
    },
    isIdle: (key) => !last.has(key),
    async settled(key) {
      await Promise.allSettled([last.get(key)]);
    },
  };
}
