import { expect, it } from 'vitest';
import { report, runChaos } from './chaos.ts';

it('nothing acknowledged is lost, doubled or out of order, whatever dies', async () => {
  const verdict = await runChaos({
    clients: 16,
    faults: ['a node is killed', 'Redis is killed', 'a node is drained', 'Redis and a node are killed'],
    pauseMs: 1000,
    log: () => {},
  });
  const { lost, doubled, outOfOrder, gaps, different, unended } = verdict;
  expect({ lost, doubled, outOfOrder, gaps, different, unended }, report(verdict)).toEqual({
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    gaps: 0,
    different: 0,
    unended: 0,
  });
  expect(verdict.acknowledged).toBeGreaterThan(100);
  expect(verdict.calls).toBeGreaterThan(0);
}, 400_000);
