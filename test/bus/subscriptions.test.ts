import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRedisSubscriptions } from '../../server/bus/subscriptions.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

function create() {
  let subscribed = () => {};
  const subscribing = new Promise<void>((resolve) => {
    subscribed = resolve;
  });
  const link = { subscribe: vi.fn((_rooms: string[]) => subscribing), unsubscribe: vi.fn(), clock: () => new Date() };
  const onLate = vi.fn();
  return { subscribed, link, onLate, subscriptions: createRedisSubscriptions(link, onLate) };
}

it('subscribes with the first who holds a room, and unsubscribes with the last', async () => {
  const { subscribed, link, subscriptions } = create();
  subscribed();
  await subscriptions.hold(['a', 'b']);
  expect(subscriptions.hold(['a'])).toBeUndefined();
  subscriptions.release(['a', 'b']);
  expect(link.unsubscribe).toHaveBeenLastCalledWith(['b']);
  subscriptions.release(['a']);
  expect(link.unsubscribe).toHaveBeenLastCalledWith(['a']);
  expect(link.subscribe.mock.calls).toEqual([[['a', 'b']]]);
});

it('has whoever comes next wait for the same subscription', async () => {
  const { subscribed, link, onLate, subscriptions } = create();
  const ready: string[] = [];
  void subscriptions.hold(['a'])?.then(() => ready.push('first'));
  void subscriptions.hold(['a'])?.then(() => ready.push('second'));
  await vi.advanceTimersByTimeAsync(500);
  expect(ready).toEqual([]);
  subscribed();
  await vi.advanceTimersByTimeAsync(0);
  expect(ready).toEqual(['first', 'second']);
  expect(link.subscribe).toHaveBeenCalledTimes(1);
  expect(onLate).not.toHaveBeenCalled();
});

it('goes on without after a second, and reports since when something may have passed by', async () => {
  const { subscribed, onLate, subscriptions } = create();
  const startedAt = Date.now();
  const held = subscriptions.hold(['a']);
  await vi.advanceTimersByTimeAsync(1500);
  await held;
  expect(onLate).not.toHaveBeenCalled();
  subscribed();
  await vi.advanceTimersByTimeAsync(0);
  expect(onLate.mock.calls).toEqual([[startedAt]]);
});
