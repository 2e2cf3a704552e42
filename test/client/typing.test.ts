/** What a client says of typing: rarely, however fast somebody types. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTyping } from '../../shared/client/activity/typing.ts';

const ANN = { recipient_id: 'a'.repeat(24) };
const GROUP = { group_id: 'b'.repeat(24) };

let said: string[] = [];
let isRefused = false;
const typing = () =>
  createTyping({
    call: async (name, payload) => {
      said.push(`${name} ${JSON.stringify(payload)}`);
      if (isRefused) throw new Error('no connection');
      return {} as never;
    },
    onChanged: () => {},
  });
const started = (target: object) => `typing:start ${JSON.stringify(target)}`;
const stopped = (target: object) => `typing:stop ${JSON.stringify(target)}`;

beforeEach(() => {
  said = [];
  isRefused = false;
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe('typing', () => {
  it('is said with the first key, and then every three seconds while keys follow', () => {
    const mine = typing();
    for (let ms = 0; ms < 10_000; ms += 100) {
      mine.set(ANN, true);
      vi.advanceTimersByTime(100);
    }
    expect(said).toEqual(Array(4).fill(started(ANN)));
  });

  it('is said of each conversation by itself', () => {
    const mine = typing();
    mine.set(ANN, true);
    mine.set(GROUP, true);
    mine.set(ANN, true);
    expect(said).toEqual([started(ANN), started(GROUP)]);
  });

  it('has its end said once, and only where there was a beginning', () => {
    const mine = typing();
    mine.set(ANN, false);
    mine.set(ANN, true);
    mine.set(ANN, false);
    mine.set(ANN, false);
    expect(said).toEqual([started(ANN), stopped(ANN)]);
  });

  it('begins anew after a message was sent, which has ended it', () => {
    const mine = typing();
    mine.set(ANN, true);
    mine.sent(ANN);
    mine.set(ANN, false);
    mine.set(ANN, true);
    expect(said).toEqual([started(ANN), started(ANN)]);
  });

  it('is said again with the next key where it did not arrive', async () => {
    isRefused = true;
    const mine = typing();
    mine.set(ANN, true);
    await vi.advanceTimersByTimeAsync(1);
    isRefused = false;
    mine.set(ANN, true);
    expect(said).toEqual([started(ANN), started(ANN)]);
  });

  it('of others ends by itself after six seconds', () => {
    const others = typing();
    others.told('c', 'ben', true);
    vi.advanceTimersByTime(4000);
    others.told('c', 'ben', true);
    vi.advanceTimersByTime(5900);
    expect(others.in('c')).toEqual(['ben']);
    vi.advanceTimersByTime(200);
    expect(others.in('c')).toEqual([]);
  });
});
