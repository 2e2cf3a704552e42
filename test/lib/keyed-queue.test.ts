import { expect, it } from 'vitest';
import { WRITE_MS } from '../../server/lib/deadline.ts';
import { createKeyedQueue } from '../../server/lib/keyed-queue.ts';

/** Work that ends on demand and notes its beginning. */
function held(begun: string[], name: string) {
  let end = () => {};
  const ended = new Promise<string>((resolve) => {
    end = () => resolve(name);
  });
  const work = () => {
    begun.push(name);
    return ended;
  };
  return { work, end };
}

type Held = ReturnType<typeof held>;

it('work under one key runs in order, one at a time', async () => {
  const queue = createKeyedQueue('test');
  const begun: string[] = [];
  const [one, two] = [held(begun, 'one'), held(begun, 'two')];
  const results = [queue.run('key', one.work), queue.run('key', two.work)];
  await Promise.resolve();
  expect(begun).toEqual(['one']);
  one.end();
  await expect.poll(() => begun).toEqual(['one', 'two']);
  two.end();
  expect(await Promise.all(results)).toEqual(['one', 'two']);
});

it('work under different keys runs side by side and begins at once', () => {
  const queue = createKeyedQueue('test');
  const begun: string[] = [];
  void queue.run('a', held(begun, 'one').work);
  void queue.run('b', held(begun, 'two').work);
  expect(begun).toEqual(['one', 'two']);
});

it('a failure reaches its own caller and holds up nothing else', async () => {
  const queue = createKeyedQueue('test');
  const failed = queue.run('key', () => Promise.reject(new Error('no')));
  const next = queue.run('key', async () => 'done');
  await expect(failed).rejects.toThrow('no');
  expect(await next).toBe('done');
});

it('work that has waited until its answer is almost due is refused, and never begun', async () => {
  const queue = createKeyedQueue('test');
  const begun: string[] = [];
  const [one, late, next] = ['one', 'late', 'next'].map((name) => held(begun, name)) as [Held, Held, Held];
  void queue.run('key', one.work);
  const refused = queue.run('key', late.work, performance.now() + WRITE_MS);
  void queue.run('key', next.work, performance.now() + 60_000);
  one.end();
  await expect(refused).rejects.toMatchObject({ code: 'unavailable' });
  await expect.poll(() => begun).toEqual(['one', 'next']);
});

it('settled waits for what is queued, not for what comes later', async () => {
  const queue = createKeyedQueue('test');
  const [one, later] = [held([], 'one'), held([], 'later')];
  void queue.run('key', one.work);
  const settled = queue.settled('key');
  void queue.run('key', later.work);
  one.end();
  await settled;
  await queue.settled('nothing');
});

it('is idle under a key until something is queued, and when all of that has ended', async () => {
  const queue = createKeyedQueue('test');
  expect(queue.isIdle('key')).toBe(true);
  const run = queue.run('key', async () => {});
  expect([queue.isIdle('key'), queue.isIdle('other')]).toEqual([false, true]);
  await run;
  expect(queue.isIdle('key')).toBe(true);
});
