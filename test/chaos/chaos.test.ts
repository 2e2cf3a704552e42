import { expect, it } from 'vitest';
import { runChaos } from './chaos.ts';
import { expectNothingWrong } from './expect-nothing-wrong.ts';

it('nothing acknowledged is lost, doubled or out of order, whatever dies', async () => {
  const verdict = await runChaos({
    clients: 16,
    faults: ['a node is killed', 'Redis is killed', 'a node is drained', 'Redis and a node are killed'],
    pauseMs: 1000,
    log: () => {},
  });
  expectNothingWrong(verdict);
  expect(verdict.acknowledged).toBeGreaterThan(100);
  expect(verdict.calls).toBeGreaterThan(0);
}, 400_000);
