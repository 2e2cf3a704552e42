/**
 * Asks the database for its time (`localTime` of `hello`), so that all nodes go by one clock, and notes there what time it
 * was: should the database's clock be set back, no node begins before that. See docs/data.md, "Clocks".
 */
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { withDeadline } from '../lib/deadline.ts';
import { createWakingTime } from '../lib/waking-time.ts';
import { upsert } from './batches.ts';
import { type FollowedClock, followClock, goneOn, type TimeSample } from './clock.ts';

const INTERVAL_MS = 10_000;
/** How often it is asked at the start; the quickest answer counts. */
const FIRST_SAMPLES = 5;
/** The longest wait for the last note, in milliseconds. */
const LAST_NOTE_MS = 500;
/** By how much a note may be ahead, in milliseconds. With more, the database's clock had been wrong. */
const MOST_AHEAD_MS = 24 * 60 * 60 * 1000;

/** The latest time that a node gave, and what the database's clock said then. */
interface Note {
  _id: 'latest';
  given: Date;
  said: Date;
}

export interface DatabaseClock {
  /** The database's time. Never goes back. */
  now(): Date;
  close(): Promise<void>;
}

/**
 * Asks a few times before it resolves, then every ten seconds, and when the machine wakes up.
 * @throws MongoError when the database does not answer
 */
export async function startDatabaseClock(db: Db, log: Logger): Promise<DatabaseClock> {
  const notes = db.collection<Note>('clock');
  const moment = createWakingTime(() => setImmediate(askAgain));

  async function ask(): Promise<TimeSample> {
    const askedAt = moment();
    const { localTime } = await db.command({ hello: 1 });
    return { askedAt, time: (localTime as Date).getTime(), answeredAt: moment() };
  }

  async function begin(): Promise<FollowedClock> {
    // Before the time is asked for: another node may write one at any moment.
    const noted = await notes.findOne({ _id: 'latest' });
    const samples: TimeSample[] = [];
    while (samples.length < FIRST_SAMPLES) samples.push(await ask());
    const took = ({ askedAt, answeredAt }: TimeSample) => answeredAt - askedAt;
    const best = samples.reduce((one, other) => (took(other) < took(one) ? other : one));
    if (!noted) return followClock(best);
    const reading = { given: noted.given.getTime(), said: noted.said.getTime() };
    const reached = goneOn(reading, best.time, INTERVAL_MS);
    const ahead_ms = Math.round(reached - best.time);
    if (ahead_ms > INTERVAL_MS) log.warn({ ahead_ms }, 'the clock of the database was set back');
    if (ahead_ms <= MOST_AHEAD_MS) return followClock(best, reached);
    await notes.deleteOne({ _id: 'latest', given: noted.given }).catch(() => {});
    return followClock(best);
  }

  const clock = await begin();

  async function note(): Promise<void> {
    const reading = clock.reading(moment());
    const [given, said] = [new Date(reading.given), new Date(reading.said)];
    await upsert(notes, { filter: { _id: 'latest', given: { $lt: given } }, update: { $set: { given, said } } });
  }

  /** While the database is away, the clock goes on by itself. */
  function askAgain(): void {
    ask()
      .then((sample) => clock.learn(sample))
      .then(note)
      .catch(() => {});
  }
  const asking = setInterval(askAgain, INTERVAL_MS);
  asking.unref();

  return {
    now: () => clock.at(moment()),
    async close() {
      clearInterval(asking);
      await withDeadline(note(), LAST_NOTE_MS).catch(() => {});
    },
  };
}
