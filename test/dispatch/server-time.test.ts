import { expect, test } from 'vitest';
import { createServerTime } from '../../server/dispatch/server-time.ts';

/** Commands that end when they are told to, under a clock that is set by hand. */
function setUp(hasOthers = false) {
  let now = 1000;
  const ends: (() => void)[] = [];
  const serverTime = createServerTime(
    () => new Date(now),
    () => !hasOthers,
  );
  const work = () => serverTime.during(() => new Promise<void>((resolve) => void ends.push(resolve)));
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
  const serverTime = createServerTime(
    () => new Date(7000),
    () => true,
  );
  await expect(serverTime.during(() => Promise.reject(new Error('refused')))).rejects.toThrow('refused');
  expect(serverTime.now().getTime()).toBe(7000);
});

test('lags by two seconds where other nodes write too', () => {
  expect(setUp(true).serverTime.now().getTime()).toBe(-1000);
});
