/** Hooks of routes that take server keys: those of the operator alone, and those of users that a key may act on. */
import type { FastifyRequest } from 'fastify';
import { Id } from '../../../shared/contract/values.ts';
import { type RateLimiter, type RateRule, refuseAfter } from '../../dispatch/rate-limits.ts';
import { type AuthenticationHook, bearerOf } from '../../http/authentication.ts';
import { invalid, notFound, unauthenticated } from '../../lib/errors.ts';
import { compile } from '../../lib/validation.ts';
import { batchedById } from '../../model/batches.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { KeyIdentification } from './identification.ts';

/** The budget of a key, over all nodes, in place of users' budgets. */
const KEY_RULE: RateRule = { count: 200, per: 1000, burst: 1000 };
/** Names the user that a key acts as. */
const ACT_AS = 'x-act-as';

const isId = compile(Id);

export interface KeyHookOptions {
  collections: Pick<Collections, 'users'>;
  keys: KeyIdentification;
  rateLimiter: RateLimiter;
}

export interface KeyHooks {
  /**
   * Asks for a server key, and sets `request.serverKey`.
   * @throws ContractError `unauthenticated`, also for a user's access token; `rate_limited`
   */
  requireServerKey: AuthenticationHook;
  /**
   * @param bearing the hook that asks for a user's access token
   * @returns a hook that takes a server key with `X-Act-As` as well, and sets `request.caller`. It throws ContractError
   *   `validation_failed` for a key without a well-formed `X-Act-As`, `not_found` unless that is an active user,
   *   `unauthenticated` for an access token with one
   */
  actingOr(bearing: AuthenticationHook): AuthenticationHook;
}

export function createKeyHooks({ collections, keys, rateLimiter }: KeyHookOptions): KeyHooks {
  const findUser = batchedById(collections.users);

  async function requireServerKey(request: FastifyRequest): Promise<void> {
    const bearer = bearerOf(request);
    const key = bearer === undefined ? undefined : await keys.identify(bearer);
    if (!key) throw unauthenticated('a server key is required');
    refuseAfter(await rateLimiter.take(`server key:${key.id}`, KEY_RULE), 'server_key');
    request.serverKey = key;
  }

  return {
    requireServerKey,
    actingOr: (bearing) => async (request) => {
      // Node joins the values of a header that comes twice.
      const userId = request.headers[ACT_AS] as string | undefined;
      const bearer = bearerOf(request);
      if (userId === undefined && !(bearer !== undefined && keys.isKey(bearer))) return bearing(request);
      await requireServerKey(request);
      if (userId === undefined) throw invalid('X-Act-As', 'is missing: it names the user that a server key acts as');
      if (!isId(userId)) throw invalid('X-Act-As', 'must be the id of a user');
      const user = await findUser(fromId(userId));
      if (!user?.is_active) throw notFound('no such user');
      request.caller = { userId: user._id, id: userId, sessionId: undefined, user };
    },
  };
}
