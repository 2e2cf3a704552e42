/** Rate limits on routes: hooks that take from the budget of a network, an account or a caller. */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { RateLimiter, RateRule } from '../dispatch/rate-limits.ts';
import { rateLimited } from '../lib/errors.ts';

/**
 * A hook that takes one request from a budget.
 * @param name keeps this budget apart from others with the same key
 * @param keyOf whose budget it is
 * @returns a hook that throws ContractError `rate_limited` when the budget is used up
 */
export function limited(
  limiter: RateLimiter,
  name: string,
  rule: RateRule,
  keyOf: (request: FastifyRequest) => string | Promise<string>,
): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    const waitMs = await limiter.take(`${name}:${await keyOf(request)}`, rule);
    if (waitMs > 0) throw rateLimited(waitMs);
  };
}

/** The network of a request: an IPv4 address, or the /64 that an IPv6 host has to itself. */
export function networkOf({ ip }: { ip: string }): string {
  const address = ip.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.replace(/%.*$/, '').split('::');
  const groups = head.split(':').filter(Boolean);
  const rest = tail.split(':').filter(Boolean);
  while (groups.length + rest.length < 8) groups.push('0');
  return `${[...groups, ...rest]
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** The id of the authenticated user. */
export const callerOf = ({ caller }: FastifyRequest): string => caller.id;

/** A key for typed text, in any case: of bounded length, and unreadable where budgets are kept. */
export function hashedKey(text: string): string {
  return createHash('sha256').update(text.toLowerCase()).digest('base64url');
}
