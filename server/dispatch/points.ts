/** The points of a user: what all connections of a user together may cost the store (PROTOCOL section 10). */
import type { RateLimiter, RefillingRule } from './rate-limits.ts';

const RULE: RefillingRule = { count: 400, per: 1000, burst: 1600 };

export interface Points {
  /** @returns 0 when the user pays, else the milliseconds until the user could */
  take(userId: string, points: number): number | Promise<number>;
  /** Has the user pay for what is known only afterwards. */
  charge(userId: string, points: number): void;
}

/** @param limiter counts over all nodes */
export function createPoints(limiter: RateLimiter): Points {
  return {
    take: (userId, points) => limiter.take(`points:${userId}`, RULE, points),
    charge: (userId, points) => limiter.charge(`points:${userId}`, RULE, points),
  };
}
