/** The budgets that a command draws on (PROTOCOL section 10, `RATE_LIMITS`). */
import { type CommandDeclaration, pointsOf, type RateClass } from '../../shared/contract/define.ts';
import type { Caller } from './caller.ts';
import type { Points } from './points.ts';
import { createMemoryRateLimiter, type RateLimiter, type RateRule, refuseAfter } from './rate-limits.ts';

/** For one connection; the HTTP requests of a session together count as one. */
const CONNECTION_RULE: RateRule = { count: 50, per: 1000, burst: 200 };

/** For a user, over all nodes, besides the points that every command costs. */
const USER_RULES: Partial<Record<RateClass, RateRule>> = {
  message: { count: 20, per: 1000, burst: 60 },
  call: { count: 10, per: 60_000 },
  contact_request: { count: 30, per: 3_600_000 },
  // Weighed by what it finds: 60 searches of the usual size at once, then 20 a minute. Whoever asks for pages of 100,
  // to copy the list of all users, gets four a minute.
  user_search: { count: 160, per: 60_000, burst: 480 },
  new_group: { count: 60, per: 3_600_000 },
  // Attempts at codes of invitations, so that nobody finds one by guessing.
  invite_code: { count: 30, per: 60_000 },
};

/** The part of a declaration that says how much a command takes from which budget. */
export type Priced = Pick<CommandDeclaration, 'rate' | 'weight' | 'cost'>;

/**
 * Takes one command from the caller's budgets.
 * @param payload as it was sent, not yet checked
 * @throws ContractError `rate_limited`
 */
export type Spend = (caller: Caller, command: Priced, payload: unknown) => Promise<void> | void;

export interface BudgetOptions {
  /** Counts over all nodes. */
  shared: RateLimiter;
  points: Pick<Points, 'take'>;
}

export function createBudgets({ shared, points }: BudgetOptions): Spend {
  // A connection lives on one node, so its budget needs no other node.
  const local = createMemoryRateLimiter();

  function takeOfConnection({ socketId, sessionId }: Caller): number | Promise<number> {
    return socketId === undefined
      ? shared.take(`http:${sessionId}`, CONNECTION_RULE)
      : local.take(socketId, CONNECTION_RULE);
  }

  return async (caller, { rate, weight, cost }, payload) => {
    // The key that acts has paid at the door.
    if (caller.sessionId === undefined) return;
    refuseAfter(await takeOfConnection(caller), 'connection');
    refuseAfter(await points.take(caller.id, pointsOf(cost, payload)), 'points');
    const rule = USER_RULES[rate];
    if (rule) refuseAfter(await shared.take(`${rate}:${caller.id}`, rule, pointsOf(weight, payload)), rate);
  };
}
