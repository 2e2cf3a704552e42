/** The rate limits of account routes (PROTOCOL section 10). */
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { LoginBody, PasswordForgotBody } from '../../../shared/contract/accounts.ts';
import { type RateLimiter, type RateRule, refuseAfter } from '../../dispatch/rate-limits.ts';
import { callerOf, hashedKey, limited, networkOf } from '../../http/rate-limit.ts';
import type { Collections } from '../../model/collections.ts';
import { loginFilter } from '../login.ts';
import type { KnownNetworks } from '../sessions/known-networks.ts';

const MINUTE = 60_000;

/** The first three are set by the contract; the others slow down guessing and flooding. */
const RULES = {
  registrationsPerNetwork: { count: 10, per: 10 * MINUTE },
  signInsPerNetwork: { count: 100, per: MINUTE },
  /** From one network, so that strangers use up only their own budget: the owner signs in from elsewhere. */
  signInsPerAccount: { count: 10, per: MINUTE },
  /** From all networks together, against guessing from many. It binds only networks where the account is not known. */
  signInsFromAnywhere: { count: 100, per: MINUTE },
  refreshesPerNetwork: { count: 600, per: MINUTE },
  /** Each request compares a password. */
  passwordChecksPerUser: { count: 10, per: MINUTE },
  /** Each request may send a mail. */
  resetRequestsPerNetwork: { count: 20, per: 10 * MINUTE },
  resetRequestsPerAddress: { count: 5, per: 10 * MINUTE },
  /** Mails to one user, whoever asks for them: the link in the last one works, whatever is asked for after it. */
  resetMailsPerUser: { count: 5, per: 10 * MINUTE },
  resetsPerNetwork: { count: 20, per: MINUTE },
} satisfies Record<string, RateRule>;

export interface AccountBudgetOptions {
  rateLimiter: RateLimiter;
  collections: Pick<Collections, 'users'>;
  isKnownNetwork: KnownNetworks['isKnown'];
}

export type AccountBudgets = ReturnType<typeof createAccountBudgets>;

/** Hooks that take one request from a budget and throw ContractError `rate_limited` when it is used up. */
export function createAccountBudgets({ rateLimiter, collections, isKnownNetwork }: AccountBudgetOptions) {
  const take = (name: keyof typeof RULES, key: string) => rateLimiter.take(`${name}:${key}`, RULES[name]);
  const limit = (name: keyof typeof RULES, keyOf: (request: FastifyRequest) => string) =>
    limited(rateLimiter, name, RULES[name], keyOf);

  /** An account has one budget for its username and its address. Unknown logins have budgets of the same size. */
  async function signIn(request: FastifyRequest): Promise<void> {
    const { login } = request.body as Static<typeof LoginBody>;
    const user = await collections.users.findOne(loginFilter(login), { projection: { _id: 1 } });
    const userId = user?._id.toHexString();
    const account = userId ?? hashedKey(login);
    const network = networkOf(request);
    const wait = await take('signInsPerAccount', `${account} ${network}`);
    refuseAfter(wait, 'signInsPerAccount');
    const waitAnywhere = await take('signInsFromAnywhere', account);
    if (waitAnywhere > 0 && !(userId && (await isKnownNetwork(userId, network)))) {
      refuseAfter(waitAnywhere, 'signInsFromAnywhere');
    }
  }

  return {
    registration: limit('registrationsPerNetwork', networkOf),
    signIn: [limit('signInsPerNetwork', networkOf), signIn],
    refresh: limit('refreshesPerNetwork', networkOf),
    passwordCheck: limit('passwordChecksPerUser', callerOf),
    resetRequest: [
      limit('resetRequestsPerNetwork', networkOf),
      limit('resetRequestsPerAddress', (request) => `${addressIn(request)} ${networkOf(request)}`),
    ],
    /** Whether one more mail may go to a user. */
    mayMail: async (userId: string) => (await take('resetMailsPerUser', userId)) === 0,
    reset: limit('resetsPerNetwork', networkOf),
  };
}

function addressIn({ body }: FastifyRequest): string {
  return hashedKey((body as Static<typeof PasswordForgotBody>).email);
}
