/** Which budgets a command draws on (PROTOCOL section 10, `RATE_LIMITS`). */
import type { RateClass } from '../../shared/contract/define.ts';
import type { Caller } from './caller.ts';
import { refuseIfLimited } from './dispatch.ts';
import { createMemoryRateLimiter, type RateLimiter, type RateRule } from './rate-limits.ts';

const SOCKET_RULE: RateRule = { count: 50, per: 1000, burst: 200 };

/** The budgets per user, over all nodes. */
const USER_RULES: Partial<Record<RateClass, RateRule>> = {
  message: { count: 20, per: 1000, burst: 60 },
  call: { count: 10, per: 60_000 },
  contact_request: { count: 30, per: 3_600_000 },
};

/**
 * @param shared counts over all nodes
 * @returns what takes a command from the budgets of its socket and user; throws `rate_limited`
 */
export function createBudgets(shared: RateLimiter): (caller: Caller, rate: RateClass) => Promise<void> | void {
  // A socket lives on one node: its budget needs no other.
  const local = createMemoryRateLimiter();
  return (caller, rate) => {
    refuseIfLimited(local.takeNow(caller.socketId, SOCKET_RULE));
    const rule = USER_RULES[rate];
    if (rule) return shared.take(`${rate}:${caller.id}`, rule).then(refuseIfLimited);
  };
}
