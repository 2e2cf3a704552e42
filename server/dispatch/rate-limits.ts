/**
 * Rate limits. A rule with a burst is a rate that fills up again (generic cell rate algorithm, GCRA, ITU-T I.371); its
 * key holds one number, the theoretical arrival time of the next request. A rule without a burst limits the requests in
 * any period of its length (sliding window); its key holds when they came. Neither needs a clean-up.
 */
import { LRUCache } from 'lru-cache';
import { rateLimited } from '../lib/errors.ts';
import { createLru } from '../lib/lru.ts';
import { counters } from '../lib/measures.ts';

export interface RateRule {
  /** How many in `per`. */
  count: number;
  /** Milliseconds. */
  per: number;
  /** How many at once after a pause; `count` in `per` is how fast they come back. Without it, `count` in `per` is all. */
  burst?: number;
}

/** A rule whose budget fills up again. */
export type RefillingRule = Required<RateRule>;

export interface RateLimiter {
  /**
   * Takes from the budget of a key.
   * @param amount how much at once: all of it or nothing; 1 by default
   * @returns 0 when it was granted, else the milliseconds until it could be
   */
  take(key: string, rule: RateRule, amount?: number): number | Promise<number>;
  /**
   * Takes what is known to be due only afterwards, whether the budget has it or not. What is owed holds later requests
   * up, but never for longer than the whole budget takes to come back.
   */
  charge(key: string, rule: RefillingRule, amount: number): void;
}

/** How many keys of refilling budgets are remembered; a forgotten key starts with a full budget. */
const REMEMBERED_KEYS = 200_000;
/** How many request times are remembered for the other budgets, and how many of them a key itself counts as. */
const REMEMBERED_TIMES = 2_000_000;
const KEY_SIZE = 9;

const refusals = counters('letsapp_budget_refusals_total', 'Requests that a budget refused', ['budget']);

/**
 * @param budget its name, in metrics
 * @throws ContractError `rate_limited` unless the budget granted what was asked: `RateLimiter.take` gave 0
 */
export function refuseAfter(waitMs: number, budget: string): void {
  if (waitMs <= 0) return;
  refusals(budget).add();
  throw rateLimited(waitMs);
}

/** The theoretical arrival time after requests that come now, and the most that one may lie ahead. Milliseconds. */
function arrivalAfter(arrival: number | undefined, now: number, { count, per, burst }: RefillingRule, amount: number) {
  const interval = per / count;
  return { next: Math.max(arrival ?? now, now) + interval * amount, tolerance: interval * burst };
}

/**
 * One step of GCRA.
 * @param arrival the stored theoretical arrival time, or undefined
 * @param now milliseconds
 * @returns the arrival time to store, or how long to wait
 */
export function gcra(
  arrival: number | undefined,
  now: number,
  rule: RefillingRule,
  amount = 1,
): { arrival: number } | { wait: number } {
  const { next, tolerance } = arrivalAfter(arrival, now, rule, amount);
  const wait = next - now - tolerance;
  return wait > 0 ? { wait } : { arrival: next };
}

/**
 * Counts on this node alone.
 * @param clock milliseconds; by default a clock that nobody sets
 */
export function createMemoryRateLimiter(clock = () => performance.now()): RateLimiter & {
  take(key: string, rule: RateRule, amount?: number): number;
} {
  const arrivals = createLru<number>('budgets', REMEMBERED_KEYS);
  const windows = new LRUCache<string, number[]>({ maxSize: REMEMBERED_TIMES });

  function takeFromRate(key: string, rule: RefillingRule, amount: number): number {
    const step = gcra(arrivals.get(key), clock(), rule, amount);
    if ('wait' in step) return step.wait;
    arrivals.set(key, step.arrival);
    return 0;
  }

  function takeFromWindow(key: string, { count, per }: RateRule, amount: number): number {
    const now = clock();
    const within = (windows.get(key) ?? []).filter((time) => time > now - per);
    const tooMany = within.length + amount - count;
    if (tooMany > 0) return (within[tooMany - 1] ?? now) - now + per;
    within.push(...Array<number>(amount).fill(now));
    windows.set(key, within, { size: within.length + KEY_SIZE });
    return 0;
  }

  return {
    take(key, rule, amount = 1) {
      const { burst } = rule;
      return burst === undefined ? takeFromWindow(key, rule, amount) : takeFromRate(key, { ...rule, burst }, amount);
    },
    charge(key, rule, amount) {
      const now = clock();
      const { next, tolerance } = arrivalAfter(arrivals.get(key), now, rule, amount);
      arrivals.set(key, Math.min(next, now + 2 * tolerance));
    },
  };
}

/** With `RATE_LIMITS=off`. */
export const unlimited: RateLimiter = { take: () => 0, charge: () => {} };
