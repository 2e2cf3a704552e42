import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { waitAtMost, withDeadline } from '../../server/lib/deadline.ts';

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

it('an answer that came while the process was busy is in time', async () => {
  vi.useRealTimers();
  const answer = withDeadline(promisify(pbkdf2)('a', 'b', 1, 16, 'sha256'), 50);
  for (const until = performance.now() + 300; performance.now() < until; );
  expect(await answer).toHaveLength(16);
});

it('a wait ends with its work, or when it has lasted long enough, and leaves no timer', async () => {
  await waitAtMost(Promise.resolve('done'), 100);
  await expect(waitAtMost(Promise.reject(new Error('failed')), 100)).rejects.toThrow('failed');
  expect(vi.getTimerCount()).toBe(0);
  const waited = waitAtMost(new Promise(() => {}), 100);
  await vi.advanceTimersByTimeAsync(100);
  await waited;
});
