import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchRevocations } from '../../server/accounts/revocation-watch.ts';

const log = pino({ level: 'silent' });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A store of ends that can be made to fail, and a watch over it. */
function watchOver() {
  const ended: { id: string; at: Date }[] = [];
  const told: string[] = [];
  let isUp = true;
  const watch = watchRevocations({
    async endedSince(since) {
      if (!isUp) throw new Error('the store is down');
      return ended.filter(({ at }) => at >= since).map(({ id }) => id);
    },
    onEnded: (ids) => told.push(...ids),
    log,
  });
  return {
    told,
    end: (id: string, at = new Date()) => void ended.push({ id, at }),
    setUp: (up: boolean) => {
      isUp = up;
    },
    close: watch.close,
  };
}

it('tells within two seconds of each end, once', async () => {
  const watch = watchOver();
  await vi.advanceTimersByTimeAsync(3000);
  watch.end('a');
  await vi.advanceTimersByTimeAsync(1500);
  expect(watch.told).toEqual(['a']);
  watch.end('b');
  watch.end('c');
  await vi.advanceTimersByTimeAsync(30_000);
  expect(watch.told).toEqual(['a', 'b', 'c']);
  watch.close();
});

it('finds what a node with a slower clock ended', async () => {
  const watch = watchOver();
  await vi.advanceTimersByTimeAsync(20_000);
  watch.end('slow', new Date(Date.now() - 8000));
  await vi.advanceTimersByTimeAsync(1500);
  expect(watch.told).toEqual(['slow']);
  watch.close();
});

it('tells of what ended while the store was down, when it is back', async () => {
  const watch = watchOver();
  await vi.advanceTimersByTimeAsync(2000);
  watch.setUp(false);
  await vi.advanceTimersByTimeAsync(2000);
  watch.end('meanwhile');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.told).toEqual([]);
  watch.setUp(true);
  await vi.advanceTimersByTimeAsync(1500);
  expect(watch.told).toEqual(['meanwhile']);
  watch.close();
});

it('tells nothing more once it is closed', async () => {
  const watch = watchOver();
  await vi.advanceTimersByTimeAsync(1500);
  watch.close();
  watch.end('late');
  await vi.advanceTimersByTimeAsync(5000);
  expect(watch.told).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
