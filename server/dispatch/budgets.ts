/** The budgets that a command draws on (PROTOCOL section 10, `RATE_LIMITS`). */
import type { RateClass } from '../../shared/contract/define.ts';
import { rateLimited } from '../lib/errors.ts';
import type { Caller } from './caller.ts';
import { createMemoryRateLimiter, type RateLimiter, type RateRule } from './rate-limits.ts';

/** Of one connection; the HTTP requests of a session together count as one. */
const CONNECTION_RULE: RateRule = { count: 50, per: 1000, burst: 200 };

/** Of a user, over all nodes. */
const USER_RULES: Partial<Record<RateClass, RateRule>> = {
  message: { count: 20, per: 1000, burst: 60 },
  call: { count: 10, per: 60_000 },
  contact_request: { count: 30, per: 3_600_000 },
  new_group: { count: 60, per: 3_600_000 },
};

/** Takes one command of a class from the caller's budgets; throws `rate_limited`. */
export type Spend = (caller: Caller, rate: RateClass) => Promise<void> | void;

/** @param shared counts over all nodes */
export function createBudgets(shared: RateLimiter): Spend {
  // A connection lives on one node: its budget needs no other.
  const local = createMemoryRateLimiter();
  const refuseAfter = (waitMs: number) => {
    if (waitMs > 0) throw rateLimited(waitMs);
  };

  function takeOfUser(caller: Caller, rate: RateClass): Promise<void> | undefined {
    const rule = USER_RULES[rate];
    return rule && shared.take(`${rate}:${caller.id}`, rule).then(refuseAfter);
  }

  return (caller, rate) => {
    if (caller.socketId === undefined) {
      return shared
        .take(`http:${caller.sessionId}`, CONNECTION_RULE)
        .then(refuseAfter)
        .then(() => takeOfUser(caller, rate));
    }
    refuseAfter(local.takeNow(caller.socketId, CONNECTION_RULE));
    return takeOfUser(caller, rate);
  };
}
