import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPrepaid } from '../../server/dispatch/prepaid.ts';
import { createMemoryRateLimiter, type RateLimiter } from '../../server/dispatch/rate-limits.ts';

const RULE = { count: 1, per: 3_600_000, burst: 60 };

/** Its clock stands still. */
const limiter = createMemoryRateLimiter(() => 0);
let made = 0;

/** A limiter as over a network: it answers later. */
function overNetwork() {
  const name = made++;
  const asked: number[] = [];
  const shared: RateLimiter = {
    async take(key, rule, amount = 1) {
      asked.push(amount);
      for (let tick = 0; tick < 5; tick++) await undefined;
      return limiter.take(`${name} ${key}`, rule, amount);
    },
    charge: (key, rule, amount) => limiter.charge(`${name} ${key}`, rule, amount),
  };
  return { shared, asked };
}

const taken = async (limiter: RateLimiter, amounts: number[], key = 'one') => {
  const waits = await Promise.all(amounts.map((amount) => limiter.take(key, RULE, amount)));
  return amounts.filter((_, i) => waits[i] === 0).reduce((sum, amount) => sum + amount, 0);
};

it('asks the shared budget once for many small requests, also when they come at once', async () => {
  const { shared, asked } = overNetwork();
  const prepaid = createPrepaid(shared, 19);
  expect(await taken(prepaid, Array(40).fill(1))).toBe(40);
  expect(asked).toEqual([20, 20]);
});

it('grants the budget to its last point', async () => {
  const prepaid = createPrepaid(overNetwork().shared, 19);
  expect(await taken(prepaid, Array(90).fill(1))).toBe(60);
});

it('keeps the order of what is asked at once', async () => {
  const prepaid = createPrepaid(overNetwork().shared, 5);
  const order: number[] = [];
  const take = async (amount: number, i: number) => {
    await prepaid.take('one', RULE, amount);
    order.push(i);
  };
  await Promise.all([1, 20, 1, 1, 30, 1].map(take));
  expect(order).toEqual([0, 1, 2, 3, 4, 5]);
});

it('never grants more than there is, over any number of nodes, and leaves at most what each holds', async () => {
  const requests = fc.array(fc.record({ node: fc.nat(2), amount: fc.integer({ min: 1, max: 40 }) }), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(requests, async (all) => {
      const { shared } = overNetwork();
      const nodes = [0, 1, 2].map(() => createPrepaid(shared, 10));
      const granted = await Promise.all(
        all.map(async ({ node, amount }) => ((await nodes[node]!.take('one', RULE, amount)) === 0 ? amount : 0)),
      );
      const sum = granted.reduce((total, amount) => total + amount, 0);
      expect(sum).toBeLessThanOrEqual(RULE.burst);
      // A single point is refused only where everything is spent, or held by another node.
      const rest = await Promise.all(nodes.map((node) => taken(node, Array(RULE.burst).fill(1))));
      const spent = sum + rest.reduce((total, amount) => total + amount, 0);
      expect(spent).toBe(RULE.burst);
    }),
    { numRuns: 50 },
  );
});

it('charges what is left first, and the shared budget for the rest', async () => {
  const prepaid = createPrepaid(overNetwork().shared, 10);
  expect(await taken(prepaid, [1])).toBe(1);
  prepaid.charge('one', RULE, 30);
  expect(await taken(prepaid, Array(90).fill(1))).toBe(29);
});
