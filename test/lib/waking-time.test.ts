import { describe, expect, it, vi } from 'vitest';
import { createWakingTime } from '../../server/lib/waking-time.ts';

/** A machine of which every clock can be moved. */
function machine() {
  const clocks = { monotonic: 5000, wall: 1e12, sinceStart: 70_000 };
  const onStep = vi.fn();
  const time = createWakingTime(onStep, {
    monotonic: () => clocks.monotonic,
    wall: () => clocks.wall,
    sinceStart: () => clocks.sinceStart,
  });
  function pass(ms: number, ...names: (keyof typeof clocks)[]): void {
    for (const name of names) clocks[name] += ms;
  }
  return { time, pass, onStep };
}

const ALL = ['monotonic', 'wall', 'sinceStart'] as const;

describe('waking time', () => {
  it('goes on with the monotonic clock', () => {
    const { time, pass, onStep } = machine();
    const before = time();
    pass(60_000, ...ALL);
    expect(time() - before).toBe(60_000);
    expect(onStep).not.toHaveBeenCalled();
  });

  it('goes on while the machine sleeps', () => {
    const { time, pass, onStep } = machine();
    const before = time();
    for (let nights = 1; nights <= 2; nights++) {
      pass(3_600_000, 'wall', 'sinceStart');
      pass(500, ...ALL);
      expect(time() - before).toBe(nights * 3_600_500);
      expect(onStep).toHaveBeenCalledTimes(nights);
    }
  });

  it.each([3_600_000, -3_600_000])('does not follow a wall clock that is set by %i ms', (ms) => {
    const { time, pass, onStep } = machine();
    const before = time();
    pass(ms, 'wall');
    pass(500, ...ALL);
    expect(time() - before).toBe(500);
    expect(onStep).toHaveBeenCalledTimes(1);
  });
});
