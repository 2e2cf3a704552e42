/** The MongoDB that a database is moved to. */
import { MongoClient } from 'mongodb';
import type { Logger } from 'pino';
import { databaseOf } from '../model/connect.ts';
import { GUARANTEES } from '../model/guarantees.ts';
import { install } from '../model/install.ts';
import { type MoveMark, moveMark } from '../model/move-mark.ts';
import { databaseUrl } from './database-url.ts';

/** How long a server of it may take to be found, in milliseconds. */
const SELECTION_MS = 5000;
const OLDEST_VERSION = 6;

export interface Target {
  client: MongoClient;
  name: string;
  /** Its URL without what is secret. */
  shown: string;
}

/**
 * @param url what `--to` says
 * @throws Error with a one-line message, without what is secret of the URL
 */
export async function withTarget<T>(url: string, use: (target: Target) => Promise<T>): Promise<T> {
  const { shown, discreet } = databaseUrl(url);
  let client: MongoClient | undefined;
  try {
    client = new MongoClient(url, {
      ...GUARANTEES,
      appName: 'letsapp move',
      serverSelectionTimeoutMS: SELECTION_MS,
      connectTimeoutMS: SELECTION_MS,
    });
    await client.connect();
    const { version } = await client.db('admin').command({ buildInfo: 1 });
    if (Number.parseInt(version, 10) < OLDEST_VERSION)
      throw new Error(`it is MongoDB ${version}: 6 is needed, or newer`);
  } catch (error) {
    await client?.close();
    throw new Error(`the target ${shown} cannot be used: ${discreet((error as Error).message)}`);
  }
  try {
    return await use({ client, name: databaseOf(url), shown });
  } catch (error) {
    throw new Error(discreet((error as Error).message));
  } finally {
    await client.close();
  }
}

/**
 * Begins to fill the target, or goes on with that: notes it there, and installs what a server does.
 * @param begun what the note says where there is none yet
 * @throws Error with a one-line message where something is in the target that is not of this move
 */
export async function beginFilling({ client, name, shown }: Target, begun: MoveMark, log: Logger): Promise<MoveMark> {
  const db = client.db(name);
  const marks = moveMark(db);
  const found = await marks.findOne({ _id: 'move' });
  if (found && found.source !== begun.source) {
    throw new Error(`the target ${shown} is being filled from another database: drop it, or choose another one`);
  }
  if (!found) {
    for (const { name: collection } of await db.listCollections({}, { nameOnly: true }).toArray()) {
      if (collection.startsWith('system.')) continue;
      const some = await db.collection(collection).findOne({}, { projection: { _id: 1 } });
      if (some) {
        throw new Error(
          `the target ${shown} is not empty: there is something in ${collection}; choose another database`,
        );
      }
    }
    await marks.insertOne(begun);
  }
  await install(db, log);
  return found ?? begun;
}

/** The target is whole: servers may start on it. Repeatable. @param move which move filled it */
export async function endFilling({ client, name }: Target, move: string): Promise<void> {
  const marks = moveMark(client.db(name));
  const { deletedCount } = await marks.deleteOne({ _id: 'move', move });
  if (deletedCount > 0) await marks.drop();
}
