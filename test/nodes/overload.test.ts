import { expect, it, onTestFinished } from 'vitest';
import type { Handlers } from '../../server/gateway/dispatch.ts';
import { watchOverload } from '../../server/gateway/overload.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Keeps the event loop busy, as a server that has more to do than it can. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function watched() {
  const overload = watchOverload();
  onTestFinished(overload.close);
  const done: string[] = [];
  const handlers: Partial<Handlers> = overload.shed({
    'typing:start': () => {
      done.push('typing');
      return {};
    },
    'message:delivered': () => {
      done.push('message');
      return {};
    },
  });
  const call = (name: 'typing:start' | 'message:delivered') => handlers[name]!({} as never, {} as never);
  return { overload, call, done };
}

it('typing is refused while the event loop is late, messages go on, and all goes on afterwards', async () => {
  const { overload, call, done } = watched();
  for (let i = 0; i < 40 && !overload.isOverloaded(); i++) {
    block(600);
    await pause(1);
  }
  expect(() => call('typing:start')).toThrow(expect.objectContaining({ code: 'unavailable' }));
  call('message:delivered');
  await expect.poll(overload.isOverloaded, { timeout: 10_000 }).toBe(false);
  call('typing:start');
  expect(done).toEqual(['message', 'typing']);
});

it('a single pause is no overload', async () => {
  const { overload, call, done } = watched();
  await pause(150);
  block(1500);
  await pause(0);
  expect(overload.isOverloaded()).toBe(false);
  call('typing:start');
  expect(done).toEqual(['typing']);
});
