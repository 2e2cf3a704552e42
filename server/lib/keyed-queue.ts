/** Runs work in order where order matters: one after the other for each key, different keys side by side. */

export interface KeyedQueue {
  /**
   * Runs work after what is queued under the key, whether that succeeds or fails; at once where nothing is.
   * @returns what the work returns; rejects as it does
   */
  run<R>(key: string, work: () => Promise<R>): Promise<R>;
  /** Resolves when what is queued under the key now has ended; never rejects. */
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
    async settled(key) {
      await Promise.allSettled([last.get(key)]);
    },
  };
}
