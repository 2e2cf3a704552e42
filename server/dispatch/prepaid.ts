/**
 * Spares a shared limiter most of its requests: more than is needed is taken at once, and the next ones are paid from
 * what is left. So a node may hold `ahead` of each budget without using it: too little to matter in a large one. Only
 * for budgets that fill up again.
 */
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import { createLru } from '../lib/lru.ts';
import type { RateLimiter } from './rate-limits.ts';

/** For how many keys something may be left; what is forgotten was paid for nothing. */
const REMEMBERED = 20_000;

/**
 * @param shared counts over all nodes
 * @param ahead how much more than needed is taken
 */
export function createPrepaid(shared: RateLimiter, ahead: number): RateLimiter {
  const left = createLru<number>('points', REMEMBERED);
  /** Requests that cannot be paid at once take turns, so that a burst asks once, and keeps its order. */
  const queue = createKeyedQueue('points');

  function takeFromLeft(key: string, amount: number): boolean {
    const rest = (left.get(key) ?? 0) - amount;
    if (rest >= 0) left.set(key, rest);
    return rest >= 0;
  }

  async function takeMissing(...[key, rule, amount]: Required<Parameters<RateLimiter['take']>>): Promise<number> {
    if (takeFromLeft(key, amount)) return 0;
    const missing = amount - (left.get(key) ?? 0);
    const waitForAll = await shared.take(key, rule, missing + ahead);
    if (waitForAll === 0) {
      left.set(key, ahead);
      return 0;
    }
    const waitForMissing = waitForAll - (ahead * rule.per) / rule.count;
    if (waitForMissing > 0) return waitForMissing;
    const wait = await shared.take(key, rule, missing);
    if (wait === 0) left.set(key, 0);
    return wait;
  }

  return {
    take(key, rule, amount = 1) {
      if (queue.isIdle(key) && takeFromLeft(key, amount)) return 0;
      return queue.run(key, () => takeMissing(key, rule, amount));
    },
    charge(key, rule, amount) {
      const paid = Math.min(left.get(key) ?? 0, amount);
      left.set(key, (left.get(key) ?? 0) - paid);
      if (amount > paid) shared.charge(key, rule, amount - paid);
    },
  };
}
