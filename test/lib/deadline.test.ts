import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { withDeadline } from '../../server/lib/deadline.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('work that hangs is answered unavailable within five seconds', async () => {
  const answer = expect(withDeadline(new Promise(() => {}))).rejects.toMatchObject({ code: 'unavailable' });
  await vi.advanceTimersByTimeAsync(5000);
  await answer;
});

it('work that ends in time gives its own result or error, and leaves no timer', async () => {
  expect(await withDeadline(Promise.resolve('done'))).toBe('done');
  await expect(withDeadline(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  expect(vi.getTimerCount()).toBe(0);
});
