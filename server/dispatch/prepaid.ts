/**
 * Spares a shared limiter most of its requests: more than is needed is taken at once, and the next ones are paid from
 * what is left. So a node may hold `ahead` of each budget that nobody uses: too little to matter of a large one. Only for
 * budgets that fill up again.
 */
import { LRUCache } from 'lru-cache';
import type { RateLimiter } from './rate-limits.ts';

/** Of how many keys something may be left; what is forgotten was paid for nothing. */
const REMEMBERED = 20_000;

/**
 * @param shared counts over all nodes
 * @param ahead how much more than needed is taken
 */
export function createPrepaid(shared: RateLimiter, ahead: number): RateLimiter {
  const left = new LRUCache<string, number>({ max: REMEMBERED });
  /** The last request of each key that is under way: they take turns, so that a burst asks once, and keeps its order. */
  const last = new Map<string, Promise<number>>();

  function takeFromLeft(key: string, amount: number): boolean {
    const rest = (left.get(key) ?? 0) - amount;
    if (rest >= 0) left.set(key, rest);
    return rest >= 0;
  }

  async function takeInTurn(before: Promise<number> | undefined, ...asked: Required<Parameters<RateLimiter['take']>>) {
    const [key, rule, amount] = asked;
    await before;
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
      const before = last.get(key);
      if (!before && takeFromLeft(key, amount)) return 0;
      const taken = takeInTurn(before, key, rule, amount);
      last.set(key, taken);
      return taken.finally(() => {
        if (last.get(key) === taken) last.delete(key);
      });
    },
    charge(key, rule, amount) {
      const paid = Math.min(left.get(key) ?? 0, amount);
      left.set(key, (left.get(key) ?? 0) - paid);
      if (amount > paid) shared.charge(key, rule, amount - paid);
    },
  };
}
