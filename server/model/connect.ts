/** The connection to MongoDB, real or embedded. */
import { type Db, MongoClient } from 'mongodb';
import { withDeadline } from '../lib/deadline.ts';
import { type Collections, collections } from './collections.ts';
import { install } from './install.ts';
import './release-writes.ts';

/**
 * Each step of an operation has its bound, in milliseconds; together they stay below the deadline of a command where
 * the store is gone altogether, and `withDeadline` bounds what is left.
 */
const BOUNDS = {
  serverSelectionTimeoutMS: 3000,
  connectTimeoutMS: 3000,
  waitQueueTimeoutMS: 4000,
  // Connections that hang go before the deadline does, and the pool is emptied of others like them.
  socketTimeoutMS: 4000,
};
/** How long `isUp` waits for an answer. */
const PING_MS = 2000;

export interface Database {
  client: MongoClient;
  db: Db;
  collections: Collections;
  /** Whether the store answers now; takes at most two seconds. */
  isUp(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Connects and brings the database up to date.
 * @param url a MongoDB connection string; its database is `letsapp` unless it names one
 * @throws Error when the URL is wrong, the store cannot be reached, or its data is of a newer version
 */
export async function connect(url: string): Promise<Database> {
  return open(url).catch((error: Error) => {
    throw new Error(`the database (MONGODB_URL) cannot be used: ${error.message}`, { cause: error });
  });
}

async function open(url: string): Promise<Database> {
  const options = { appName: 'letsapp', writeConcern: { w: 'majority' as const }, ignoreUndefined: true };
  const database = new URL(url.replace(/,[^/]*/, '')).pathname.slice(1) || 'letsapp';
  // Building an index over much data may take longer than any command.
  const installer = new MongoClient(url, { ...options, ...BOUNDS, socketTimeoutMS: 0 });
  try {
    await install(installer.db(database));
  } finally {
    await installer.close();
  }
  const client = new MongoClient(url, { ...options, ...BOUNDS, heartbeatFrequencyMS: 2000, maxPoolSize: 50 });
  try {
    await client.connect();
    const db = client.db(database);
    return {
      client,
      db,
      collections: collections(db),
      async isUp() {
        return withDeadline(db.command({ ping: 1 }), PING_MS).then(
          () => true,
          () => false,
        );
      },
      async close() {
        await client.close();
      },
    };
  } catch (error) {
    await client.close();
    throw error;
  }
}
