import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createFairQueue } from '../../server/lib/fair-queue.ts';

const turn = () => new Promise(setImmediate);

/** Work that ends when it is told to. */
function setUp(options: { atOnce?: number; mostWaiting?: number } = {}) {
  const queue = createFairQueue({
    name: 'test',
    atOnce: 1,
    mostWaiting: 100,
    refuse: () => new Error('full'),
    ...options,
  });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const outcomes: Promise<string>[] = [];
  async function end(name: string) {
    ends.get(name)!();
    await turn();
  }
  return {
    begun,
    outcomes,
    end,
    add(party: string, name: string) {
      const work = () =>
        new Promise<string>((resolve) => {
          begun.push(name);
          ends.set(name, () => resolve(name));
        });
      const outcome = queue.run(party, work).catch((error: Error) => error.message);
      outcomes.push(outcome);
      return outcome;
    },
    async endAll() {
      for (let i = 0; i < begun.length; i++) await end(begun[i]!);
    },
  };
}

it('serves parties in turn, and each party in order', async () => {
  const { add, begun, endAll } = setUp();
  for (const name of ['a1', 'a2', 'a3', 'a4']) void add('a', name);
  for (const name of ['b1', 'b2']) void add('b', name);
  void add('c', 'c1');
  await turn();
  await endAll();
  expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

it('runs so much at once', async () => {
  const { add, begun, end } = setUp({ atOnce: 2 });
  for (const name of ['a1', 'a2', 'a3']) void add('a', name);
  await turn();
  expect(begun).toEqual(['a1', 'a2']);
  await end('a1');
  expect(begun).toEqual(['a1', 'a2', 'a3']);
});

it('goes on after work that fails', async () => {
  const queue = createFairQueue({ name: 'test', atOnce: 1, mostWaiting: 1, refuse: () => new Error('full') });
  await expect(queue.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await queue.run('a', async () => 7)).toBe(7);
});

it('refuses the last of the longest line when it is full, not whoever has just come', async () => {
  const { add, begun, endAll, outcomes } = setUp({ mostWaiting: 3 });
  for (const name of ['a0', 'a1', 'a2', 'a3']) void add('a', name);
  void add('b', 'b1');
  await turn();
  await endAll();
  expect(begun).toEqual(['a0', 'a1', 'b1', 'a2']);
  expect(await Promise.all(outcomes)).toEqual(['a0', 'a1', 'a2', 'full', 'b1']);
});

it('loses nothing, and lets nobody wait for more than one piece of each other party and its own', async () => {
  const parties = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(parties, async (all) => {
      const { add, begun, endAll, outcomes } = setUp();
      const names = all.map((party, i) => `${party}${i}`);
      for (const [i, party] of all.entries()) void add(party, names[i]!);
      await turn();
      await endAll();
      expect((await Promise.all(outcomes)).sort()).toEqual([...names].sort());
      for (const [at, name] of begun.entries()) {
        const own = all.slice(0, names.indexOf(name)).filter((party) => party === name[0]).length;
        // At most three others, each as often as the party itself, and the one that began at first.
        expect(at).toBeLessThanOrEqual((own + 1) * 4);
      }
    }),
    { numRuns: 50 },
  );
});
