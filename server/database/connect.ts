/** The connection to MongoDB, real or embedded. */
import { type Db, MongoClient } from 'mongodb';
import { type Collections, collections } from './collections.ts';
import { install } from './install.ts';

/** Longest that any one operation may take, in milliseconds: `unavailable` must come within 5 s (PROTOCOL section 10). */
const OPERATION_TIMEOUT_MS = 4000;

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
 * @throws Error when the store cannot be reached or its data is of a newer version
 */
export async function connect(url: string): Promise<Database> {
  const client = new MongoClient(url, {
    appName: 'letsapp',
    serverSelectionTimeoutMS: OPERATION_TIMEOUT_MS,
    connectTimeoutMS: OPERATION_TIMEOUT_MS,
    timeoutMS: OPERATION_TIMEOUT_MS,
    heartbeatFrequencyMS: 2000,
    maxPoolSize: 50,
    writeConcern: { w: 'majority' },
    ignoreUndefined: true,
  });
  try {
    await client.connect();
    const db = client.db(
      new URL(url.replace(/^mongodb(\+srv)?:/, 'http:').replace(/,[^/]*/, '')).pathname.slice(1) || 'letsapp',
    );
    await install(db);
    return {
      client,
      db,
      collections: collections(db),
      async isUp() {
        return db.command({ ping: 1 }, { timeoutMS: 2000 }).then(
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
