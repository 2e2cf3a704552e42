import { expect, it, onTestFinished } from 'vitest';
import { watchOverload } from '../../server/dispatch/overload.ts';
import { notShed, type Route } from '../../server/dispatch/steps.ts';
import { type CommandName, commands } from '../../shared/contract/index.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Keeps the event loop busy, as a server that has more to do than it can. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

function watched() {
  const { isOverloaded, close } = watchOverload();
  onTestFinished(close);
  const call = (name: CommandName) => {
    const route = { declaration: commands[name] } as unknown as Route;
    notShed({ route }, isOverloaded);
  };
  return { isOverloaded, call };
}

it('typing is refused while the event loop is late, messages go on, and all goes on afterwards', async () => {
  const { isOverloaded, call } = watched();
  for (let i = 0; i < 40 && !isOverloaded(); i++) {
    block(600);
    await pause(1);
  }
  expect(() => call('typing:start')).toThrow(expect.objectContaining({ code: 'unavailable' }));
  call('message:delivered');
  await expect.poll(isOverloaded, { timeout: 30_000 }).toBe(false);
  call('typing:start');
});

it('a single pause is no overload', async () => {
  const { isOverloaded, call } = watched();
  await pause(150);
  block(1500);
  await pause(0);
  expect(isOverloaded()).toBe(false);
  call('typing:start');
});
