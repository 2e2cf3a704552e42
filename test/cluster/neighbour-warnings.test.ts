import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchNeighbours } from '../../server/cluster/neighbours.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function scene() {
  const others = { living: 0, possible: 0 };
  const said: number[] = [];
  const arrivals: object[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void said.push(JSON.parse(line).other_nodes) });
  const nodes = { others: async () => ({ ...others }) };
  const neighbours = await watchNeighbours({ nodes, onArrival: () => arrivals.push({ ...others }), log });
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
  return { others, said, arrivals, neighbours, pass };
}

it('a neighbour is said at once and each minute, and once more when it comes back', async () => {
  const { others, said, neighbours, pass } = await scene();
  await pass(120_000);
  expect(said).toEqual([]);
  others.living = 1;
  await pass(2000);
  expect([said, neighbours.count(), neighbours.isAlone()]).toEqual([[1], 1, false]);
  others.living = 2;
  await pass(120_000);
  expect(said).toEqual([1, 2, 2]);
  others.living = 0;
  await pass(2000);
  expect([neighbours.count(), neighbours.isAlone()]).toEqual([0, true]);
  others.living = 1;
  await pass(2000);
  expect(said).toEqual([1, 2, 2, 1]);
  neighbours.close();
});

it('whoever may be one counts as one, and is not talked about', async () => {
  const { others, said, arrivals, neighbours, pass } = await scene();
  others.possible = 1;
  await pass(2000);
  expect([neighbours.count(), neighbours.isAlone(), said, arrivals.length]).toEqual([0, false, [], 1]);
  neighbours.close();
});
