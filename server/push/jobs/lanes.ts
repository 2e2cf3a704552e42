/**
 * How much is under way with each provider, or push service: one that hangs or is down keeps few attempts, so that the
 * others have room.
 */

/** Attempts at once with one that answers … */
const MOST = 64;
/** … with one that did not, or said that it cannot … */
const MOST_FAILING = 4;
/** … and with all. */
const MOST_OF_ALL = 512;

export interface Lanes {
  /** How many more attempts may begin. */
  room(): number;
  roomOf(lane: string): number;
  /** Those without room. */
  full(): string[];
  begin(lane: string): void;
  /** @param answered whether it can be relied on: what it refuses or does not know is an answer */
  end(lane: string, answered: boolean): void;
}

export function createLanes(): Lanes {
  const lanes = new Map<string, { count: number; failing: boolean }>();
  let all = 0;

  function roomOf(lane: string): number {
    const { count = 0, failing = false } = lanes.get(lane) ?? {};
    return (failing ? MOST_FAILING : MOST) - count;
  }

  return {
    room: () => MOST_OF_ALL - all,
    roomOf,
    full: () => [...lanes.keys()].filter((lane) => roomOf(lane) <= 0),
    begin(lane) {
      const known = lanes.get(lane) ?? { count: 0, failing: false };
      lanes.set(lane, { ...known, count: known.count + 1 });
      all++;
    },
    end(lane, answered) {
      all--;
      const count = (lanes.get(lane)?.count ?? 1) - 1;
      // One that answers and has nothing under way is like one that is not known.
      if (count === 0 && answered) lanes.delete(lane);
      else lanes.set(lane, { count, failing: !answered });
    },
  };
}
