/** Whether a receiver is there: while it fails it is left alone for a second, then for twice as long each time. */

/** Streams under way at once, where it is. */
const AT_ONCE = 32;
const LONGEST_WAIT_MS = 600_000;

/** @returns how long to wait after so many failures, in milliseconds */
export const backOff = (failures: number, firstWaitMs: number) =>
  Math.min(firstWaitMs * 2 ** (failures - 1), LONGEST_WAIT_MS);

export interface Receiver {
  /** How much longer it is left alone, in milliseconds; 0 or less where it is not. */
  rest(): number;
  isFailing(): boolean;
  /** How many streams it may be told at once. */
  atOnce(): number;
  /** @param began when the attempt began, by `performance.now()`: attempts under way together count as one failure */
  failed(began: number): void;
  /** It answered. @returns whether that is news */
  answered(): boolean;
}

export function createReceiver(firstWaitMs: number): Receiver {
  let failures = 0;
  let failedAt = 0;
  let opensAt = 0;
  return {
    rest: () => opensAt - performance.now(),
    isFailing: () => failures > 0,
    atOnce: () => (failures > 0 ? 1 : AT_ONCE),
    failed(began) {
      if (began < failedAt) return;
      failures++;
      failedAt = performance.now();
      opensAt = failedAt + backOff(failures, firstWaitMs);
    },
    answered() {
      const isNews = failures > 0;
      failures = 0;
      opensAt = 0;
      return isNews;
    },
  };
}
