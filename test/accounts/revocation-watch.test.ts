import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchRevocations } from '../../server/accounts/sessions/revocation-watch.ts';

const log = pino({ level: 'silent' });

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A watch over a store of ended sessions that can be made to fail. */
function startWatch() {
  const ended: { id: string; at: Date }[] = [];
  const reported: string[] = [];
  let isUp = true;
  const watch = watchRevocations({
    async revokedSince(since) {
      if (!isUp) throw new Error('the store is down');
      return ended.filter(({ at }) => at >= since).map(({ id }) => id);
    },
    clock: () => new Date(),
    onEnded: (ids) => reported.push(...ids),
    log,
  });
  return {
    reported,
    end: (id: string, at = new Date()) => void ended.push({ id, at }),
    setUp: (up: boolean) => {
      isUp = up;
    },
    close: watch.close,
  };
}

it('reports each ended session within two seconds, once', async () => {
  const watch = startWatch();
  await vi.advanceTimersByTimeAsync(3000);
  watch.end('a');
  await vi.advanceTimersByTimeAsync(1500);
  expect(watch.reported).toEqual(['a']);
  watch.end('b');
  watch.end('c');
  await vi.advanceTimersByTimeAsync(30_000);
  expect(watch.reported).toEqual(['a', 'b', 'c']);
  watch.close();
});

it('finds what a node with a slower clock has ended', async () => {
  const watch = startWatch();
  await vi.advanceTimersByTimeAsync(20_000);
  watch.end('slow', new Date(Date.now() - 8000));
  await vi.advanceTimersByTimeAsync(1500);
  expect(watch.reported).toEqual(['slow']);
  watch.close();
});

it('reports what ended while the store was down once it is back', async () => {
  const watch = startWatch();
  await vi.advanceTimersByTimeAsync(2000);
  watch.setUp(false);
  await vi.advanceTimersByTimeAsync(2000);
  watch.end('meanwhile');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watch.reported).toEqual([]);
  watch.setUp(true);
  await vi.advanceTimersByTimeAsync(1500);
  expect(watch.reported).toEqual(['meanwhile']);
  watch.close();
});

it('reports nothing more once it is closed', async () => {
  const watch = startWatch();
  await vi.advanceTimersByTimeAsync(1500);
  watch.close();
  watch.end('late');
  await vi.advanceTimersByTimeAsync(5000);
  expect(watch.reported).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});
