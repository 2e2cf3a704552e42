import { expect, test } from 'vitest';
import { createServerTime } from '../../server/conversations/server-time.ts';

/** Commands that end when they are told to, under a clock that is set by hand. */
function setUp(othersMs = 0) {
  let now = 1000;
  const ends: (() => void)[] = [];
  const serverTime = createServerTime(() => new Date(now), othersMs);
  const { work } = serverTime.during({ work: () => new Promise<void>((resolve) => ends.push(resolve)) });
  return {
    serverTime,
    begin: (at: number) => {
      now = at;
      return work();
    },
    end: (index: number) => ends[index]!(),
    at: (time: number) => {
      now = time;
    },
  };
}

test('is the time of the clock while nothing is under way', () => {
  const { serverTime, at } = setUp();
  at(5000);
  expect(serverTime.now().getTime()).toBe(5000);
});

test('is never after the beginning of a command that is still under way', async () => {
  const { serverTime, begin, end, at } = setUp();
  const first = begin(1000);
  const second = begin(2000);
  at(9000);
  expect(serverTime.now().getTime()).toBe(1000);
  end(0);
  await first;
  expect(serverTime.now().getTime()).toBe(2000);
  end(1);
  await second;
  expect(serverTime.now().getTime()).toBe(9000);
});

test('a command that fails is no longer under way', async () => {
  const serverTime = createServerTime(() => new Date(7000), 0);
  const { work } = serverTime.during({ work: () => Promise.reject(new Error('refused')) });
  await expect(work()).rejects.toThrow('refused');
  expect(serverTime.now().getTime()).toBe(7000);
});

test('lies back by what other nodes may be late', () => {
  expect(setUp(300).serverTime.now().getTime()).toBe(700);
});
