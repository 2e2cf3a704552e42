/** The rate limits of account routes (PROTOCOL section 10). */
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { LoginBody, PasswordForgotBody } from '../../../shared/contract/accounts.ts';
import type { RateLimiter, RateRule } from '../../dispatch/rate-limits.ts';
import { callerOf, hashedKey, limited, networkOf } from '../../http/rate-limit.ts';
import type { Collections } from '../../model/collections.ts';
import { loginFilter } from '../login.ts';

const MINUTE = 60_000;

/** The first three are set by the contract; the others slow down guessing and flooding. */
const RULES = {
  registrationsPerNetwork: { count: 10, per: 10 * MINUTE },
  signInsPerNetwork: { count: 100, per: MINUTE },
  signInsPerAccount: { count: 10, per: MINUTE },
  refreshesPerNetwork: { count: 600, per: MINUTE },
  /** Each request compares a password. */
  passwordChecksPerUser: { count: 10, per: MINUTE },
  /** Each request may send a mail. */
  resetRequestsPerNetwork: { count: 20, per: 10 * MINUTE },
  resetRequestsPerAddress: { count: 5, per: 10 * MINUTE },
  resetsPerNetwork: { count: 20, per: MINUTE },
} satisfies Record<string, RateRule>;

export type AccountBudgets = ReturnType<typeof createAccountBudgets>;

/** Hooks that take one request from a budget and throw ContractError `rate_limited` when it is used up. */
export function createAccountBudgets(rateLimiter: RateLimiter, { users }: Pick<Collections, 'users'>) {
  const limit = (name: keyof typeof RULES, keyOf: (request: FastifyRequest) => string | Promise<string>) =>
    limited(rateLimiter, name, RULES[name], keyOf);

  /** An account has one budget for its username and its address. Unknown logins have budgets of the same size. */
  async function accountOf({ body }: FastifyRequest): Promise<string> {
    const { login } = body as Static<typeof LoginBody>;
    const user = await users.findOne(loginFilter(login), { projection: { _id: 1 } });
    return user?._id.toHexString() ?? hashedKey(login);
  }

  return {
    registration: limit('registrationsPerNetwork', networkOf),
    signIn: [limit('signInsPerNetwork', networkOf), limit('signInsPerAccount', accountOf)],
    refresh: limit('refreshesPerNetwork', networkOf),
    passwordCheck: limit('passwordChecksPerUser', callerOf),
    resetRequest: [limit('resetRequestsPerNetwork', networkOf), limit('resetRequestsPerAddress', addressOf)],
    reset: limit('resetsPerNetwork', networkOf),
  };
}

function addressOf({ body }: FastifyRequest): string {
  return hashedKey((body as Static<typeof PasswordForgotBody>).email);
}
