/** Ordering by key: work under one key runs one at a time, in order; different keys run side by side. */
import { startTime } from './deadline.ts';

export interface KeyedQueue {
  /**
   * Runs work once everything queued under the key has succeeded or failed; at once if nothing is queued.
   * @param dueAt when its answer is due, by `performance.now()`: work that has waited too long for that is not begun
   * @returns what the work returns; rejects as the work does
   * @throws ContractError `unavailable` for work that was not begun
   */
  run<R>(key: string, work: () => Promise<R>, dueAt?: number): Promise<R>;
  /** Whether nothing is queued under the key. */
  isIdle(key: string): boolean;
  /** Resolves when everything now queued under the key has ended; never rejects. */
  settled(key: string): Promise<void>;
}

/** Holds a key only while work is queued under it. */
export function createKeyedQueue(): KeyedQueue {
  const last = new Map<string, Promise<unknown>>();
  return {
    async run(key, work, dueAt = Number.POSITIVE_INFINITY) {
      const before = last.get(key);
      const begin = () => {
        startTime(dueAt)();
        return work();
      };
      const turn = before ? before.then(begin, begin) : work();
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
