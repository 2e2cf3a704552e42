/** The points of a user: what all connections of a user together may cost the store (PROTOCOL section 10). */
import { FULL_PAGE } from '../../shared/contract/define.ts';
import type { RateLimiter, RefillingRule } from './rate-limits.ts';

/** What a page of 40 points may weigh, in bytes; more than that is paid at the same rate. */
const PAGE_BYTES = 512 * 1024;
const BYTES_PER_POINT = PAGE_BYTES / FULL_PAGE;

/**
 * How many bytes told to others a point pays for: 400 points a second let a member of a group of 1,024, all of them
 * connected, send as many short messages as anybody may.
 */
const TOLD_BYTES_PER_POINT = 40 * 1024;

const RULE: RefillingRule = { count: 400, per: 1000, burst: 1600 };

export interface Points {
  /** @returns 0 when the user pays, else the milliseconds until the user could */
  take(userId: string, points: number): number | Promise<number>;
  /** Has the user pay for the size of a page, where it is larger than its points paid for. */
  page(userId: string, bytes: number): void;
  /** Has the user pay for what others are told. */
  sent(userId: string, bytes: number): void;
}

/** @param limiter counts over all nodes */
export function createPoints(limiter: RateLimiter): Points {
  const keyOf = (userId: string) => `points:${userId}`;
  function charge(userId: string, points: number): void {
    const due = Math.floor(points);
    if (due > 0) limiter.charge(keyOf(userId), RULE, due);
  }
  return {
    take: (userId, points) => limiter.take(keyOf(userId), RULE, points),
    page: (userId, bytes) => charge(userId, (bytes - PAGE_BYTES) / BYTES_PER_POINT),
    sent: (userId, bytes) => charge(userId, bytes / TOLD_BYTES_PER_POINT),
  };
}
