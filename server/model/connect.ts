/** The connection to MongoDB, real or embedded. */
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import type { Logger } from 'pino';
import { COMMAND_DEADLINE_MS, WRITE_MS, withDeadline } from '../lib/deadline.ts';
import { tracing } from '../lib/tracing.ts';
import { type Collections, collections } from './collections.ts';
import { type DatabaseClock, startDatabaseClock } from './database-clock.ts';
import { GUARANTEES } from './guarantees.ts';
import { install } from './install.ts';
import { assertNotFilling } from './move-mark.ts';
import { type Reach, watchReach } from './reach.ts';
import './release-writes.ts';
import './store-latency.ts';

const DEFAULT_DATABASE = 'letsapp';
/** The bound of each step of an operation, in milliseconds. */
const BOUNDS: MongoClientOptions = {
  // Longer than the election of a primary, which takes up to 12 s: what was begun before it is tried again afterwards,
  // and its outcome is known. Nobody waits so long: callers have a deadline, and commands begin where there is a primary.
  serverSelectionTimeoutMS: 15_000,
  connectTimeoutMS: 3000,
  // A command that gets no connection while a write could still be answered in time is not begun.
  waitQueueTimeoutMS: COMMAND_DEADLINE_MS - WRITE_MS,
  // Below the deadline, so that a hanging connection is closed first; the driver then drops others like it.
  socketTimeoutMS: 4000,
};
const OPTIONS: MongoClientOptions = {
  ...BOUNDS,
  ...GUARANTEES,
  appName: 'letsapp',
  ignoreUndefined: true,
};
/** How often the driver looks for the primary, in milliseconds: with `connectTimeoutMS` below the deadline. */
const HEARTBEAT_MS = 1000;
/** How long a start waits for a primary, in milliseconds. */
const START_SELECTION_MS = 5000;
const OPEN_ATTEMPTS = 5;
/** The longest that `isUp` waits for an answer, in milliseconds. */
const PING_MS = 2000;

export interface Database {
  client: MongoClient;
  db: Db;
  collections: Collections;
  /** The database's time, by which everything stored is stamped and compared. */
  clock: DatabaseClock['now'];
  reach: Reach;
  /** Whether the store answers; takes at most two seconds. */
  isUp(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Connects and brings the database up to date.
 * @param url a MongoDB connection string; without a database name, `letsapp` is used
 * @param log where it says what it changes, and what the start waits for
 * @throws Error when the URL is wrong, the store cannot be reached, or its data is of a newer version
 */
export async function connect(url: string, log: Logger): Promise<Database> {
  try {
    await bringUpToDate(url, log);
    return await openPatiently(url, log);
  } catch (error) {
    throw new Error(`the database (MONGODB_URL) cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

async function bringUpToDate(url: string, log: Logger): Promise<void> {
  // Commands without a bound: an index over much data may take longer to build than any command may take.
  const client = new MongoClient(url, {
    ...OPTIONS,
    socketTimeoutMS: 0,
    serverSelectionTimeoutMS: START_SELECTION_MS,
    // Work for all collections at once waits for one of a few connections, for as long as that takes.
    maxPoolSize: 8,
    waitQueueTimeoutMS: 0,
  });
  try {
    const db = client.db(databaseOf(url));
    await assertNotFilling(db);
    await install(db, log);
  } finally {
    await client.close();
  }
}

/** A machine that starts much at once may take longer for the first connection than any command may wait for one. */
async function openPatiently(url: string, log: Logger): Promise<Database> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(url, log);
    } catch (error) {
      if (attempt === OPEN_ATTEMPTS || (error as Error).name !== 'MongoWaitQueueTimeoutError') throw error;
      log.warn({ err: error, attempt }, 'the start waits for a connection to the database');
    }
  }
}

async function open(url: string, log: Logger): Promise<Database> {
  const client = new MongoClient(url, {
    ...OPTIONS,
    heartbeatFrequencyMS: HEARTBEAT_MS,
    maxPoolSize: 50,
    monitorCommands: tracing !== undefined,
  });
  tracing?.watchStore(client);
  const reach = watchReach(client);
  const db = client.db(databaseOf(url));
  try {
    await client.connect();
    const clock = await startDatabaseClock(db, log);
    return {
      client,
      db,
      collections: collections(db),
      clock: clock.now,
      reach,
      isUp: () =>
        withDeadline(db.command({ ping: 1 }), PING_MS).then(
          () => true,
          () => false,
        ),
      async close() {
        await clock.close();
        await client.close();
      },
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** The database that a connection string names. URL parses neither its protocol nor a list of hosts. */
export function databaseOf(url: string): string {
  // Of several hosts the URL parser takes only the first.
  return new URL(url.replace(/,[^/]*/, '')).pathname.slice(1) || DEFAULT_DATABASE;
}
