/** The connection to MongoDB, real or embedded. */
import { type Db, MongoClient, type MongoClientOptions } from 'mongodb';
import type { Logger } from 'pino';
import { withDeadline } from '../lib/deadline.ts';
import { type Collections, collections } from './collections.ts';
import { install } from './install.ts';
import './release-writes.ts';

const DEFAULT_DATABASE = 'letsapp';
/**
 * The bound of each step of an operation, in milliseconds. Together they stay below the deadline of a command when the
 * store is gone altogether; `withDeadline` covers the rest.
 */
const BOUNDS = {
  serverSelectionTimeoutMS: 3000,
  connectTimeoutMS: 3000,
  waitQueueTimeoutMS: 4000,
  // Below the deadline, so that a hanging connection is closed first; the driver then drops others like it.
  socketTimeoutMS: 4000,
};
const OPTIONS: MongoClientOptions = {
  ...BOUNDS,
  appName: 'letsapp',
  writeConcern: { w: 'majority' },
  ignoreUndefined: true,
};
/** The longest that `isUp` waits for an answer, in milliseconds. */
const PING_MS = 2000;

export interface Database {
  client: MongoClient;
  db: Db;
  collections: Collections;
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
    return await open(url);
  } catch (error) {
    throw new Error(`the database (MONGODB_URL) cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

async function bringUpToDate(url: string, log: Logger): Promise<void> {
  // Without a bound: an index over much data may take longer to build than any command may take.
  const client = new MongoClient(url, { ...OPTIONS, socketTimeoutMS: 0 });
  try {
    await install(client.db(databaseOf(url)), log);
  } finally {
    await client.close();
  }
}

async function open(url: string): Promise<Database> {
  const client = new MongoClient(url, { ...OPTIONS, heartbeatFrequencyMS: 2000, maxPoolSize: 50 });
  try {
    await client.connect();
  } catch (error) {
    await client.close();
    throw error;
  }
  const db = client.db(databaseOf(url));
  return {
    client,
    db,
    collections: collections(db),
    isUp: () =>
      withDeadline(db.command({ ping: 1 }), PING_MS).then(
        () => true,
        () => false,
      ),
    close: () => client.close(),
  };
}

/** The database that a connection string names. URL parses neither its protocol nor a list of hosts. */
function databaseOf(url: string): string {
  // Of several hosts the URL parser takes only the first.
  return new URL(url.replace(/,[^/]*/, '')).pathname.slice(1) || DEFAULT_DATABASE;
}
