/**
 * Rate limits by the generic cell rate algorithm (GCRA, ITU-T I.371): a key holds one number, the theoretical arrival
 * time of its next request, and needs no clean-up clock.
 */
import { LRUCache } from 'lru-cache';

export interface RateRule {
  /** How many requests in `per`. */
  count: number;
  /** Milliseconds. */
  per: number;
  /** How many at once after a pause; `count` unless told otherwise. */
  burst?: number;
}

export interface RateLimiter {
  /**
   * Takes one request from the budget of a key.
   * @returns 0 when it may go on, else the milliseconds until it could
   */
  take(key: string, rule: RateRule): Promise<number>;
}

/** How many keys are remembered; whoever is forgotten starts with a full budget. */
const REMEMBERED_KEYS = 200_000;

/**
 * One step of GCRA.
 * @param arrival the stored theoretical arrival time, or undefined
 * @param now milliseconds
 * @returns the arrival time to store, or how long to wait
 */
export function gcra(arrival: number | undefined, now: number, rule: RateRule): { arrival: number } | { wait: number } {
  const interval = rule.per / rule.count;
  const tolerance = interval * (rule.burst ?? rule.count);
  const next = Math.max(arrival ?? now, now) + interval;
  return next - now > tolerance ? { wait: next - now - tolerance } : { arrival: next };
}

/** A budget that is kept on this node alone. */
export function createMemoryRateLimiter(clock: () => number = Date.now): RateLimiter & {
  takeNow(key: string, rule: RateRule): number;
} {
  const arrivals = new LRUCache<string, number>({ max: REMEMBERED_KEYS });
  function takeNow(key: string, rule: RateRule): number {
    const step = gcra(arrivals.get(key), clock(), rule);
    if ('wait' in step) return step.wait;
    arrivals.set(key, step.arrival);
    return 0;
  }
  return { takeNow, take: async (key, rule) => takeNow(key, rule) };
}

/** With `RATE_LIMITS=off`. */
export const unlimited: RateLimiter = { take: async () => 0 };
