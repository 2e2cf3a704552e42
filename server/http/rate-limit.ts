/** Rate limits on routes: hooks that take from the budget of a network, an account or a caller. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { type RateLimiter, type RateRule, refuseAfter } from '../dispatch/rate-limits.ts';

/**
 * A hook that takes one request from a budget.
 * @param name keeps this budget apart from others with the same key
 * @param keyOf whose budget it is
 * @param isCounted which requests take from it; all by default
 * @returns a hook that throws ContractError `rate_limited` when the budget is used up
 */
export function limited(
  limiter: RateLimiter,
  name: string,
  rule: RateRule,
  keyOf: (request: FastifyRequest) => string | Promise<string>,
  isCounted: (request: FastifyRequest) => boolean = () => true,
): (request: FastifyRequest) => Promise<void> {
  return async (request) => {
    if (isCounted(request)) refuseAfter(await limiter.take(`${name}:${await keyOf(request)}`, rule), name);
  };
}

/** Where a request comes from, as Fastify's `request.ip`: behind a trusted proxy, what the nearest proxy says. */
export function addressOf({ headers, socket }: IncomingMessage, { trustProxy }: Pick<Config, 'trustProxy'>): string {
  const forwarded = trustProxy && headers['x-forwarded-for'];
  return forwarded ? String(forwarded).split(',').at(-1)!.trim() : (socket.remoteAddress ?? '');
}

/**
 * The network of a request: an IPv4 address, or the /64 that an IPv6 host has to itself.
 * @param ip an address as a socket or a proxy writes it: IPv6 in brackets or not, some (Azure, IIS) with the client's port
 */
export function networkOf({ ip }: { ip: string }): string {
  const address = withoutPort(ip);
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  const isMapped = groups[5] === 0xffff && groups.slice(0, 5).every((group) => group === 0);
  if (isMapped) return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** `203.0.113.7:54321`, `[2001:db8::1]:443` and `[2001:db8::1]` without brackets and port; anything else as it is. */
function withoutPort(address: string): string {
  const [, ipv6, ipv4] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d*)?$/.exec(address.trim()) ?? [];
  return ipv6 ?? ipv4 ?? address;
}

/** The eight groups of an IPv6 address (RFC 4291, section 2.2). */
function groupsOf(address: string): number[] {
  const bare = address
    .replace(/%.*$/, '')
    .replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) =>
      [0, 2].map((at) => ((Number(bytes[at]) << 8) | Number(bytes[at + 1])).toString(16)).join(':'),
    );
  const [head = '', tail = ''] = bare.split('::');
  const before = head.split(':').filter(Boolean);
  const after = tail.split(':').filter(Boolean);
  const between = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...between, ...after].map((group) => Number.parseInt(group, 16));
}

/** The id of the authenticated user. */
export const callerOf = ({ caller }: FastifyRequest): string => caller.id;

/** Whether the user's own budgets are spent: a server key that acts as the user has spent its own. */
export const paysForItself = ({ serverKey }: FastifyRequest): boolean => serverKey === undefined;

/** A key for typed text, in any case: of bounded length, and unreadable where budgets are kept. */
export function hashedKey(text: string): string {
  return createHash('sha256').update(text.toLowerCase()).digest('base64url');
}
