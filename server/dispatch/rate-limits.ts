/**
 * Rate limits. A rule with a burst is a rate that fills up again (generic cell rate algorithm, GCRA, ITU-T I.371); its
 * key holds one number, the theoretical arrival time of the next request. A rule without a burst limits the requests in
 * any period of its length (sliding window); its key holds when they came. Neither needs a clean-up.
 */
import { LRUCache } from 'lru-cache';

export interface RateRule {
  /** How many requests in `per`. */
  count: number;
  /** Milliseconds. */
  per: number;
  /** How many at once after a pause; `count` in `per` is how fast they come back. Without it, `count` in `per` is all. */
  burst?: number;
}

export interface RateLimiter {
  /**
   * Takes from the budget of a key.
   * @param amount how much at once: all of it or nothing; 1 by default
   * @returns 0 when it was granted, else the milliseconds until it could be
   */
  take(key: string, rule: RateRule, amount?: number): Promise<number>;
}

/** How many keys, and times of requests, are remembered; a forgotten key starts with a full budget. */
const REMEMBERED_KEYS = 200_000;
const REMEMBERED_TIMES = 2_000_000;

/**
 * One step of GCRA.
 * @param arrival the stored theoretical arrival time, or undefined
 * @param now milliseconds
 * @param amount how much of the budget is asked for
 * @returns the arrival time to store, or how long to wait
 */
export function gcra(
  arrival: number | undefined,
  now: number,
  { count, per, burst }: Required<RateRule>,
  amount = 1,
): { arrival: number } | { wait: number } {
  const interval = per / count;
  const next = Math.max(arrival ?? now, now) + interval * amount;
  const wait = next - now - interval * burst;
  return wait > 0 ? { wait } : { arrival: next };
}

/** Counts on this node alone. */
export function createMemoryRateLimiter(clock: () => number = Date.now): RateLimiter & {
  takeNow(key: string, rule: RateRule, amount?: number): number;
} {
  const arrivals = new LRUCache<string, number>({ max: REMEMBERED_KEYS });
  const windows = new LRUCache<string, number[]>({ max: REMEMBERED_KEYS, maxSize: REMEMBERED_TIMES });

  function takeFromRate(key: string, rule: Required<RateRule>, amount: number): number {
    const step = gcra(arrivals.get(key), clock(), rule, amount);
    if ('wait' in step) return step.wait;
    arrivals.set(key, step.arrival);
    return 0;
  }

  function takeFromWindow(key: string, { count, per }: RateRule, amount: number): number {
    const now = clock();
    const within = (windows.get(key) ?? []).filter((time) => time > now - per);
    const tooMany = within.length + amount - count;
    if (tooMany > 0) return (within[tooMany - 1] ?? now) + per - now;
    within.push(...Array<number>(amount).fill(now));
    windows.set(key, within, { size: within.length });
    return 0;
  }

  function takeNow(key: string, rule: RateRule, amount = 1): number {
    const { burst } = rule;
    return burst === undefined ? takeFromWindow(key, rule, amount) : takeFromRate(key, { ...rule, burst }, amount);
  }
  return { takeNow, take: async (key, rule, amount) => takeNow(key, rule, amount) };
}

/** With `RATE_LIMITS=off`. */
export const unlimited: RateLimiter = { take: async () => 0 };
