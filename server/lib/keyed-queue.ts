/** Ordering by key: work under one key runs one at a time, in order; different keys run side by side. */
import { startTime } from './deadline.ts';
import { queueMeasures } from './queue-measures.ts';

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

/**
 * Holds a key only while work is queued under it.
 * @param name tells it from other queues, in metrics
 */
export function createKeyedQueue(name: string): KeyedQueue {
  const { length, waited } = queueMeasures(name);
  const last = new Map<string, Promise<unknown>>();
  return {
    async run(key, work, dueAt = Number.POSITIVE_INFINITY) {
      const before = last.get(key);
      const since = before ? performance.now() : 0;
      const begin = () => {
        waited.observe((performance.now() - since) / 1000);
        startTime(dueAt)();
        return work();
      };
      const turn = before ? before.then(begin, begin) : work();
      last.set(key, turn);
      length.add();
      if (!before) waited.observe(0);
      try {
        return await turn;
      } finally {
        length.add(-1);
        if (last.get(key) === turn) last.delete(key);
      }
    },
    isIdle: (key) => !last.has(key),
    async settled(key) {
      await Promise.allSettled([last.get(key)]);
    },
  };
}
