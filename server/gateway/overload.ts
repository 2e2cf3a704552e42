/**
 * Sheds the cheap first: while the event loop is late for longer than a moment, typing and presence are refused, so that
 * messages need not be. What is refused has changed nothing, and whoever asks is told so.
 */
import type { CommandName } from '../../shared/contract/index.ts';
import { unavailable } from '../errors.ts';
import type { Handlers } from './dispatch.ts';

const CHEAP: CommandName[] = ['typing:start', 'typing:stop', 'presence:set', 'presence:get'];

/** How often lateness is measured, in milliseconds. */
const SAMPLE_MS = 100;
/** What one sample counts at most, in milliseconds: a single pause is no overload. */
const MOST_MS = 500;
/** The share of the newest sample in the mean (exponential smoothing). */
const SHARE = 0.2;
/** Shedding begins where the mean is above, and ends where it is below, in milliseconds. */
const BEGIN_MS = 300;
const END_MS = 100;

export interface Overload {
  isOverloaded(): boolean;
  /** The handlers; of the cheap commands those that refuse as `unavailable` while there is too much to do. */
  shed<H extends Partial<Handlers>>(handlers: H): H;
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

  function refusing(handle: unknown) {
    return (...args: unknown[]) => {
      if (overloaded) throw unavailable('too much to do: messages come first');
      return (handle as (...args: unknown[]) => unknown)(...args);
    };
  }

  return {
    isOverloaded: () => overloaded,
    shed(handlers) {
      const cheap = CHEAP.filter((name) => handlers[name]).map((name) => [name, refusing(handlers[name])]);
      return { ...handlers, ...Object.fromEntries(cheap) };
    },
    close: () => clearInterval(timer),
  };
}
