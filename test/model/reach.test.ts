import { EventEmitter } from 'node:events';
import type { MongoClient } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchReach } from '../../server/model/reach.ts';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** What the driver says about its servers. */
function watch() {
  const client = new EventEmitter();
  const say = (...writable: boolean[]) =>
    client.emit('topologyDescriptionChanged', {
      newDescription: { servers: new Map(writable.map((isWritable, i) => [`s${i}`, { isWritable }])) },
    });
  return { reach: watchReach(client as unknown as MongoClient), say };
}

describe('a wait for a server that takes writes', () => {
  it('is none while there is one', () => {
    const { reach, say } = watch();
    say(false, true);
    expect(reach.untilWritable(0)).toBe(true);
  });

  it('ends when one is elected, or after the time that there is', async () => {
    const { reach, say } = watch();
    const waits = Promise.all([reach.untilWritable(1000), reach.untilWritable(3000)]);
    await vi.advanceTimersByTimeAsync(2000);
    say(false, false);
    say(true, false);
    expect(await waits).toEqual([false, true]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('work', () => {
  it('that is slow goes on while the store is there, and is given up once it is away', async () => {
    const { reach, say } = watch();
    say(true);
    let outcome: unknown;
    const work = reach.orAway(new Promise(() => {}), 1000).catch((error: unknown) => {
      outcome = error;
    });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(outcome).toBeUndefined();
    say(false);
    await vi.advanceTimersByTimeAsync(1000);
    await work;
    expect(outcome).toMatchObject({ code: 'unavailable' });
  });

  it('has its time while the store is away, and leaves no timer', async () => {
    const { reach } = watch();
    const quick = reach.orAway(new Promise((resolve) => setTimeout(resolve, 999, 'done')), 1000);
    await vi.advanceTimersByTimeAsync(999);
    expect(await quick).toBe('done');
    await expect(reach.orAway(Promise.reject(new Error('of its own')))).rejects.toThrow('of its own');
    expect(vi.getTimerCount()).toBe(0);
  });
});
