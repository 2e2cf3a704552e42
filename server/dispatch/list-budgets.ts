/** The budgets that commands draw on by the length of a list (PROTOCOL section 10, `RATE_LIMITS`). */
import type { ListClass, ListDraw } from '../../shared/contract/define.ts';
import type { Caller } from './caller.ts';
import { type RateLimiter, type RateRule, refuseAfter } from './rate-limits.ts';

/** For a user, over all nodes. */
const RULES: Record<ListClass, RateRule> = {
  group_addition: { count: 1000, per: 3_600_000 },
};

/**
 * Takes as much from a budget of the caller as a list of a valid payload has different entries: all of it or nothing.
 * @throws ContractError `rate_limited`, also for a list that is longer than the whole budget
 */
export type SpendList = (caller: Caller, draw: ListDraw, payload: Record<string, unknown>) => Promise<void>;

/** @param shared counts over all nodes */
export function createListBudgets(shared: RateLimiter): SpendList {
  return async (caller, { list, of }, payload) => {
    const amount = new Set(payload[of] as unknown[]).size;
    if (amount > 0) refuseAfter(await shared.take(`${list}:${caller.id}`, RULES[list], amount), list);
  };
}
