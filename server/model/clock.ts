/**
 * The database's time, which is the same for all nodes: theirs need not agree. A node learns how far the database's clock
 * is from its own monotonic clock, and goes on by that until it asks again. So the time of a node never goes back, and
 * neither steps of its wall clock nor a database that is away for a while matter to it.
 */

/** How much slower it goes, as a part of real time, while it is ahead of the database's. */
const SLEW = 0.05;

/** By how much two nodes may be wrong about the database's clock, in milliseconds. */
const LEEWAY_MS = 1000;

/** The database's time, and when by the monotonic clock it was asked for and answered; all in milliseconds. */
export interface TimeSample {
  askedAt: number;
  time: number;
  answeredAt: number;
}

/** What a clock gave, and what the database's said in the same moment, in milliseconds. */
export interface ClockReading {
  given: number;
  said: number;
}

export interface FollowedClock {
  /** The database's time at a moment of the monotonic clock. Later moments never give earlier times. */
  at(moment: number): Date;
  reading(moment: number): ClockReading;
  /** Takes in what the database said. */
  learn(sample: TimeSample): void;
}

/**
 * Follows a clock by samples of it. The database read its clock between question and answer, so a sample says between
 * which two bounds the offset lies. What is known stands while it fits; else it moves to the nearer bound: forwards at
 * once, backwards by going slower.
 * @param first of several samples, the one that was answered most quickly
 * @param notBefore the earliest time to begin with, where the database's clock was further on already
 */
export function followClock(first: TimeSample, notBefore = Number.NEGATIVE_INFINITY): FollowedClock {
  const [low, high] = boundsOf(first);
  let offset = (low + high) / 2;
  /** How far the time that is given is ahead, in milliseconds, at a moment. */
  let lead = { ms: Math.max(0, notBefore - first.answeredAt - offset), since: first.answeredAt };
  const leadAt = (moment: number) => Math.max(0, lead.ms - (moment - lead.since) * SLEW);
  const reading = (moment: number) => ({ given: moment + offset + leadAt(moment), said: moment + offset });

  return {
    at: (moment) => new Date(reading(moment).given),
    reading,
    learn(sample) {
      const [least, most] = boundsOf(sample);
      const found = Math.min(Math.max(offset, least), most);
      if (found === offset) return;
      lead = { ms: Math.max(0, leadAt(sample.answeredAt) + offset - found), since: sample.answeredAt };
      offset = found;
    },
  };
}

/**
 * What a clock that was read earlier gives by now.
 * @param said what the database's clock says now; a reading of this moment may lie a little after it
 * @param mostMs how long ago the reading may be, at most: where the database's clock was set back since, only that is
 *   known
 */
export function goneOn({ given, said: saidThen }: ClockReading, said: number, mostMs: number): number {
  const passed = said - saidThen;
  return given + (passed < -LEEWAY_MS ? mostMs : Math.max(0, passed) * (1 - SLEW));
}

/** The bounds between which the offset lies. The database cuts off what is less than a millisecond. */
function boundsOf({ askedAt, time, answeredAt }: TimeSample): [number, number] {
  return [time - answeredAt, time + 1 - askedAt];
}
