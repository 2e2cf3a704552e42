/** The store as an operator's tools reach it: that of the running servers, or else that of the data folder. */
import { MongoClient } from 'mongodb';
import type { Config } from './config.ts';
import { fetchCopy } from './embedded/copied.ts';
import { beginMove, type Movable, movable } from './embedded/move.ts';
import { reachEmbedded } from './embedded/reach.ts';
import { databaseOf } from './model/connect.ts';
import { GUARANTEES } from './model/guarantees.ts';

const OPTIONS = { ...GUARANTEES, appName: 'letsapp tools', ignoreUndefined: true };

/**
 * Runs a tool on the store of `MONGODB_URL`, else on the embedded database in `DATA_DIR`, which may be in use.
 * @throws Error with a one-line message when it cannot be reached
 */
export async function withStore<T>(
  { mongodbUrl, dataDir, databasePassword }: Pick<Config, 'mongodbUrl' | 'dataDir' | 'databasePassword'>,
  use: (client: MongoClient, name: string) => Promise<T>,
): Promise<T> {
  const embedded = mongodbUrl === undefined ? await reachEmbedded(dataDir, databasePassword) : undefined;
  const url = mongodbUrl ?? embedded!.url;
  const client = new MongoClient(url, OPTIONS);
  try {
    await client.connect();
    return await use(client, databaseOf(url));
  } finally {
    await client.close();
    await embedded?.close();
  }
}

/**
 * Copies the embedded database in `DATA_DIR`, with all that it has acknowledged, whether it is in use or not.
 * @param target the folder of a database, which must exist and be empty
 * @throws Error with a one-line message when it cannot be reached or copied
 */
export async function copyEmbedded(
  config: Pick<Config, 'dataDir' | 'databasePassword'>,
  target: string,
): Promise<void> {
  await withStore({ ...config, mongodbUrl: undefined }, (client) =>
    fetchCopy(config.dataDir, (command) => client.db('admin').command(command), target),
  );
}

export type { Movable };

/**
 * Lets one process at a time move the embedded database in `DATA_DIR`, whether that is in use or not.
 * @returns what `use` returns; where the database was moved already, where to and by which move
 * @throws Error with a one-line message when it cannot be reached, or another process moves it
 */
export async function withMovable<T>(
  config: Pick<Config, 'dataDir' | 'databasePassword'>,
  use: (client: MongoClient, name: string, database: Movable) => Promise<T>,
): Promise<{ result: T } | { moved: { to: string; move: string } }> {
  const begun = await beginMove(config.dataDir);
  if ('moved' in begun) return begun;
  try {
    const result = await withStore({ ...config, mongodbUrl: undefined }, (client, name) => {
      const send = (command: object) => client.db('admin').command(command, { promoteValues: false });
      return use(client, name, movable(send));
    });
    return { result };
  } finally {
    begun.release();
  }
}
