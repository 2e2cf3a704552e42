import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { settleEarlierRun } from '../../server/presence/earlier-run.ts';
import type { PresentStatus } from '../../server/presence/presence-store.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const COUNT = 1234;

/** Users shown as present in three ways, of whom none has a device any more. */
function create() {
  const shown = new Map(
    Array.from({ length: COUNT }, (_, i): [string, PresentStatus] => [
      new ObjectId().toHexString(),
      (['online', 'away', 'busy'] as const)[i % 3]!,
    ]),
  );
  let atOnce = 0;
  let most = 0;
  const pages: number[] = [];
  const settled: string[] = [];
  let isUp = true;
  const run = settleEarlierRun({
    store: {
      async findPresent(status, behind = '', limit) {
        if (!isUp) throw new Error('the store is away');
        const found = [...shown].filter(([id, is]) => is === status && id > behind).map(([id]) => id);
        const page = found.sort().slice(0, limit);
        pages.push(page.length);
        return page;
      },
    },
    devices: { onVanished: () => {} },
    background: {
      async settleAgain(userId) {
        atOnce++;
        most = Math.max(most, atOnce);
        await new Promise((resolve) => setTimeout(resolve, 1));
        atOnce--;
        // Half of them have come back meanwhile, and stay shown.
        if (settled.push(userId) % 2 === 0) shown.delete(userId);
      },
    },
    graceMs: 100,
    log: pino({ level: 'silent' }),
  });
  return {
    run,
    settled,
    pages,
    most: () => most,
    setUp: (up: boolean) => {
      isUp = up;
    },
  };
}

it('settles each user of an earlier run once after the grace period, by pages and a few at a time', async () => {
  const { run, settled, pages, most } = create();
  await vi.advanceTimersByTimeAsync(99);
  expect(settled).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(new Set(settled).size).toBe(COUNT);
  expect(settled).toHaveLength(COUNT);
  expect(Math.max(...pages)).toBeLessThanOrEqual(500);
  expect(most()).toBeGreaterThan(1);
  expect(most()).toBeLessThanOrEqual(10);
  run.close();
});

it('begins again where the store was away, and ends when it is closed', async () => {
  const { run, settled, setUp } = create();
  setUp(false);
  await vi.advanceTimersByTimeAsync(5000);
  expect(settled).toEqual([]);
  setUp(true);
  await vi.advanceTimersByTimeAsync(1110);
  run.close();
  await vi.advanceTimersByTimeAsync(100);
  const { length } = settled;
  expect(length).toBeGreaterThan(0);
  expect(length).toBeLessThan(COUNT);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(settled).toHaveLength(length);
});
