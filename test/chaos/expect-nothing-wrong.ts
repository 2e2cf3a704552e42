import { expect } from 'vitest';
import { report } from './chaos.ts';
import type { Verdict } from './verdict.ts';

/** Nothing lost, doubled, out of order or missing, and clients and database at one in the end. */
export function expectNothingWrong(verdict: Verdict): void {
  const { lost, doubled, outOfOrder, gaps, different, unended } = verdict;
  expect({ lost, doubled, outOfOrder, gaps, different, unended }, report(verdict)).toEqual({
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    gaps: 0,
    different: 0,
    unended: 0,
  });
}
