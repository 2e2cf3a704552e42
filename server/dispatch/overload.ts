/**
 * Notices overload. While the event loop runs late for longer than a moment, commands declared `sheddable` (typing and
 * presence) are refused, so that messages need not be. What is refused has changed nothing.
 */

/** How often lateness is measured, in milliseconds. */
const SAMPLE_MS = 100;
/** The most that one sample counts, in milliseconds: a single pause is no overload. */
const MOST_MS = 500;
/** The share of the newest sample in the mean (exponential smoothing). */
const SHARE = 0.2;
/** Overload begins with the mean above `BEGIN_MS` and ends with it below `END_MS`, in milliseconds. */
const BEGIN_MS = 300;
const END_MS = 100;

export interface Overload {
  isOverloaded(): boolean;
  close(): void;
}

/** Starts to measure. */
export function watchOverload(): Overload {
  let overloaded = false;
  let mean = 0;
  let expected = performance.now() + SAMPLE_MS;
  const timer = setInterval(() => {
    const now = performance.now();
    mean += SHARE * (Math.min(Math.max(now - expected, 0), MOST_MS) - mean);
    expected = now + SAMPLE_MS;
    overloaded = mean > (overloaded ? END_MS : BEGIN_MS);
  }, SAMPLE_MS);
  timer.unref();
  return { isOverloaded: () => overloaded, close: () => clearInterval(timer) };
}
