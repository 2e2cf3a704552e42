import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createRedisLink } from '../../server/bus/redis-link.ts';
import { createMemoryRateLimiter, type RateLimiter } from '../../server/dispatch/rate-limits.ts';
import { createRedisRateLimiter } from '../../server/dispatch/rate-limits-redis.ts';
import { startRedis, type TestRedis } from '../support/redis.ts';

/** By how much clocks of one machine may differ in what they measure, in milliseconds. */
const MOMENT_MS = 5;

/** How often a limiter has counted by itself, because Redis answered late. */
let alone = 0;
const log = pino(
  { level: 'debug' },
  {
    write(line) {
      if (line.includes('counts by itself')) alone++;
    },
  },
);
let redis: TestRedis;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

async function overRedis(): Promise<RateLimiter> {
  const link = createRedisLink({ urls: [redis.url], clock: () => new Date(), log });
  onTestFinished(() => link.close());
  await link.untilUp(30_000);
  return createRedisRateLimiter(link, createMemoryRateLimiter(), log);
}

async function granted(
  limiter: RateLimiter,
  key: string,
  times: number,
  rule: { count: number; per: number; burst?: number },
) {
  let count = 0;
  for (let i = 0; i < times; i++) if ((await limiter.take(key, rule)) === 0) count++;
  return count;
}

describe.each([
  ['in memory', async () => createMemoryRateLimiter() as RateLimiter],
  ['in Redis', overRedis],
])('a budget %s', (name, create) => {
  it('grants a burst, then tells how long to wait', async () => {
    const limiter = await create();
    const rule = { count: 1, per: 60_000, burst: 5 };
    expect(await granted(limiter, `${name} burst`, 8, rule)).toBe(5);
    const wait = await limiter.take(`${name} burst`, rule);
    expect(wait).toBeGreaterThan(50_000);
    expect(wait).toBeLessThanOrEqual(60_000);
  });

  it('without a burst grants so many in any period of its length, however they are spread', async () => {
    const limiter = await create();
    const rule = { count: 5, per: 1000 };
    // Each was granted somewhen from when it was asked for until the answer.
    const grants: { asked: number; answered: number }[] = [];
    while (grants.length < 3 * rule.count) {
      const asked = performance.now();
      const wait = await limiter.take(`${name} window`, rule);
      const answered = performance.now();
      if (wait === 0) {
        grants.push({ asked, answered });
        await new Promise((resolve) => setTimeout(resolve, 30));
      } else {
        // Until the oldest of the period is in it no longer.
        expect(grants.length).toBeGreaterThanOrEqual(rule.count);
        const oldest = grants.at(-rule.count)!;
        expect(wait).toBeLessThanOrEqual(oldest.answered + rule.per - asked + MOMENT_MS);
        expect(wait).toBeGreaterThanOrEqual(oldest.asked + rule.per - answered - MOMENT_MS);
        await new Promise((resolve) => setTimeout(resolve, wait));
      }
    }
    for (const [i, { answered }] of grants.slice(rule.count).entries()) {
      expect(answered - grants[i]!.asked).toBeGreaterThan(rule.per - MOMENT_MS);
    }
  });

  it('takes several at once, all of them or none', async () => {
    const limiter = await create();
    const rule = { count: 10, per: 600_000 };
    expect(await limiter.take(`${name} several`, rule, 7)).toBe(0);
    const wait = await limiter.take(`${name} several`, rule, 4);
    expect(wait).toBeGreaterThan(590_000);
    expect(wait).toBeLessThanOrEqual(600_000);
    expect(await limiter.take(`${name} several`, rule, 3)).toBe(0);
    expect(await limiter.take(`${name} several`, rule)).toBeGreaterThan(0);
    // More than there ever is.
    expect(await limiter.take(`${name} never`, rule, 11)).toBe(600_000);
    expect(await limiter.take(`${name} never`, rule, 10)).toBe(0);
    const refilling = { count: 1, per: 60_000, burst: 5 };
    expect(await limiter.take(`${name} burst of several`, refilling, 4)).toBe(0);
    expect(await limiter.take(`${name} burst of several`, refilling, 2)).toBeGreaterThan(50_000);
    expect(await limiter.take(`${name} burst of several`, refilling)).toBe(0);
  });

  it('says when several fit in again', async () => {
    const limiter = await create();
    const rule = { count: 3, per: 4000 };
    expect(await limiter.take(`${name} again`, rule, 2)).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await limiter.take(`${name} again`, rule)).toBe(0);
    const wait = await limiter.take(`${name} again`, rule, 2);
    // A timer may come a moment early.
    expect(wait).toBeLessThanOrEqual(3505);
    await new Promise((resolve) => setTimeout(resolve, wait + 20));
    expect(await limiter.take(`${name} again`, rule, 2)).toBe(0);
  });

  it('grows again with time', async () => {
    const limiter = await create();
    const rule = { count: 1, per: 1500 };
    expect(await limiter.take(`${name} time`, rule)).toBe(0);
    const wait = await limiter.take(`${name} time`, rule);
    expect(wait).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, wait + 20));
    expect(await limiter.take(`${name} time`, rule)).toBe(0);
  });
});

describe.each([
  ['in memory', async () => createMemoryRateLimiter() as RateLimiter],
  ['in Redis', overRedis],
])('several at once from a budget %s', (name, create) => {
  it('are granted all or not at all, where it fills up again', async () => {
    const limiter = await create();
    const rule = { count: 1, per: 60_000, burst: 10 };
    const key = `${name} several`;
    expect(await limiter.take(key, rule, 7)).toBe(0);
    const wait = await limiter.take(key, rule, 4);
    expect(wait).toBeGreaterThan(50_000);
    expect(wait).toBeLessThanOrEqual(60_000);
    expect(await limiter.take(key, rule, 3)).toBe(0);
    expect(await limiter.take(`${name} too many`, rule, 11)).toBeGreaterThan(0);
  });

  it('are granted all or not at all, in a period', async () => {
    const limiter = await create();
    const rule = { count: 10, per: 60_000 };
    const key = `${name} several in a period`;
    expect(await limiter.take(key, rule, 7)).toBe(0);
    const wait = await limiter.take(key, rule, 4);
    expect(wait).toBeGreaterThan(50_000);
    expect(wait).toBeLessThanOrEqual(60_000);
    expect(await limiter.take(key, rule, 3)).toBe(0);
    expect(await limiter.take(key, rule, 1)).toBeGreaterThan(0);
    expect(await limiter.take(`${name} too many in a period`, rule, 11)).toBeGreaterThan(0);
  });

  it('are owed where they are charged afterwards, for no longer than the whole budget takes to come back', async () => {
    const limiter = await create();
    const rule = { count: 1, per: 1000, burst: 10 };
    const key = `${name} owed`;
    limiter.charge(key, rule, 6);
    await expect.poll(() => limiter.take(key, rule, 5)).toBeGreaterThan(0);
    limiter.charge(key, rule, 1_000_000);
    await expect.poll(() => limiter.take(key, rule)).toBeGreaterThan(9000);
    expect(await limiter.take(key, rule)).toBeLessThanOrEqual(11_000);
  });
});

describe('budgets over nodes', () => {
  it('count what all nodes granted', async () => {
    const [one, two] = await Promise.all([overRedis(), overRedis()]);
    const rule = { count: 10, per: 600_000 };
    // Where Redis answers late, each counts by itself: then it is tried again.
    for (let i = 0, before = -1; before < alone; i++) {
      before = alone;
      const key = `shared ${i}`;
      const counts = await Promise.all([granted(one, key, 10, rule), granted(two, key, 10, rule)]);
      if (before === alone) expect(counts[0] + counts[1]).toBe(10);
    }
  });

  it('are kept by each node alone while Redis does not answer', async () => {
    const limiter = await overRedis();
    redis.signal('SIGSTOP');
    try {
      expect(await granted(limiter, 'alone', 4, { count: 2, per: 600_000 })).toBe(2);
    } finally {
      redis.signal('SIGCONT');
    }
  });

  it.each([
    ['in a period', { count: 4, per: 600_000 }],
    ['that fills up again', { count: 1, per: 600_000, burst: 4 }],
  ])('do not begin anew when Redis does not answer any more: a budget %s', async (name, rule) => {
    const limiter = await overRedis();
    const key = `begun ${name}`;
    expect(await granted(limiter, key, 3, rule)).toBe(3);
    redis.signal('SIGSTOP');
    try {
      expect(await granted(limiter, key, 3, rule)).toBe(1);
    } finally {
      redis.signal('SIGCONT');
    }
  });
});
