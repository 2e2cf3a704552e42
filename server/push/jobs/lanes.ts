/**
 * How much is under way with each provider, or push service: one that hangs or is down keeps few attempts, so that the
 * others have room.
 */
import { createLru } from '../../lib/lru.ts';

/** Attempts at once with one that answers … */
const MOST = 64;
/** … with one that did not, or said that it cannot … */
const MOST_FAILING = 4;
/** … and with all. */
const MOST_OF_ALL = 512;

/** How many lanes are remembered as failing. */
const REMEMBERED = 10_000;

export interface Lanes {
  /** How many more attempts may begin. */
  room(): number;
  roomOf(lane: string): number;
  /** Those without room. */
  full(): string[];
  begin(lane: string): void;
  /**
   * @param answered whether it can be relied on: what it refuses or does not know is an answer; undefined where it was not
   *   asked
   */
  end(lane: string, answered: boolean | undefined): void;
}

export function createLanes(): Lanes {
  const underWay = new Map<string, number>();
  const failing = createLru<true>('failing push services', REMEMBERED);
  let all = 0;

  const roomOf = (lane: string) => (failing.has(lane) ? MOST_FAILING : MOST) - (underWay.get(lane) ?? 0);

  return {
    room: () => MOST_OF_ALL - all,
    roomOf,
    full: () => [...underWay.keys()].filter((lane) => roomOf(lane) <= 0),
    begin(lane) {
      underWay.set(lane, (underWay.get(lane) ?? 0) + 1);
      all++;
    },
    end(lane, answered) {
      all--;
      const count = (underWay.get(lane) ?? 1) - 1;
      if (count > 0) underWay.set(lane, count);
      else underWay.delete(lane);
      if (answered) failing.delete(lane);
      else if (answered === false) failing.set(lane, true);
    },
  };
}
