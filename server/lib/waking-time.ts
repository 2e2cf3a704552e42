/**
 * Time that only moves on, also while the machine sleeps: Node's monotonic clock stands still then (on Linux), and a
 * process that wakes up would take what it knew for new.
 */
import { uptime } from 'node:os';

/** A difference between clocks that is a step, in milliseconds. */
const STEP_MS = 1000;

export interface WakingTimeOptions {
  /** What other clocks of the machine say, in milliseconds; for tests. */
  monotonic?: () => number;
  wall?: () => number;
  /** Since the machine was started, sleep included. */
  sinceStart?: () => number;
}

/**
 * @param onStep called when the machine has slept, or its wall clock was set
 * @returns tells the time in milliseconds, from any beginning
 */
export function createWakingTime(onStep: () => void, options: WakingTimeOptions = {}): () => number {
  const { monotonic = () => performance.now(), wall = () => Date.now(), sinceStart = () => uptime() * 1000 } = options;
  const beginning = sinceStart() - monotonic();
  /** How far the wall clock is ahead. It costs little to ask, and shows that there may be something to find out. */
  let wallAhead = wall() - monotonic();
  let slept = 0;

  return () => {
    const now = monotonic();
    if (Math.abs(wall() - now - wallAhead) > STEP_MS) {
      wallAhead = wall() - now;
      const found = sinceStart() - now - beginning;
      if (found > slept + STEP_MS) slept = found;
      onStep();
    }
    return now + slept;
  };
}
