/**
 * Brings a database to the state that the code expects: collections, validators, indexes, migrated data. Every step is
 * idempotent and safe while other nodes do the same, so nothing needs a lock.
 */
import type { Db } from 'mongodb';
import type { Logger } from 'pino';
import { collections } from './collections.ts';
import { INDEX_NOT_FOUND, ignoring } from './failures.ts';
import { installIndexes } from './install-indexes.ts';
import { foldAnew } from './passes.ts';
import { validators } from './validators.ts';

/** Grows by one with each change in the shape of the data; `MIGRATIONS` leads there from the version before. */
export const SCHEMA_VERSION = 4;

/** What turns data of version n - 1 into data of version n, by n. Each must be idempotent. */
const MIGRATIONS: Record<number, (db: Db) => Promise<void>> = {
  // Marks replaced receipts on each message.
  2: (db) => dropIndex(db, 'messages', 'receipts'),
  // Search folds by Unicode's rules, and scripts without spaces by n-grams.
  3: foldAnew,
  // Unique indexes begin with the shard key; blocks are found by their owners.
  4: async (db) => {
    await dropIndex(db, 'memberships', 'user_conversation');
    await dropIndex(db, 'contacts', 'pair_status');
  },
};

const NAMESPACE_EXISTS = 48;

interface MigrationDocument {
  _id: number;
  done_at: Date;
}

/**
 * Brings a database up to date.
 * @throws Error when its data is of a newer version than this code knows
 */
export async function install(db: Db, log: Logger): Promise<void> {
  const migrations = db.collection<MigrationDocument>('migrations');
  const newest = await migrations.find().sort({ _id: -1 }).limit(1).next();
  const found = newest?._id ?? 0;
  if (found > SCHEMA_VERSION) {
    throw new Error(
      `its data is of schema version ${found} and this server knows ${SCHEMA_VERSION}: upgrade the server`,
    );
  }
  await installCollections(db, found < SCHEMA_VERSION);
  await installIndexes(db, log);
  for (let version = found + 1; version <= SCHEMA_VERSION; version++) {
    // A new database has nothing to migrate.
    if (found > 0) await MIGRATIONS[version]?.(db);
    const { localTime } = await db.command({ hello: 1 });
    await migrations.updateOne({ _id: version }, { $setOnInsert: { done_at: localTime } }, { upsert: true });
  }
}

/** Creates the collections that are missing, and on an older schema renews the validators of the others. */
async function installCollections(db: Db, isOutdated: boolean): Promise<void> {
  const listed = await db.listCollections({}, { nameOnly: true }).toArray();
  const existing = new Set(listed.map(({ name }) => name));
  const rules = validators();
  await Promise.all(
    Object.keys(collections(db)).map(async (name) => {
      const validator = rules[name];
      const options = validator ? { validator, validationLevel: 'strict', validationAction: 'error' } : {};
      if (!existing.has(name)) await createCollection(db, name, options);
      else if (isOutdated && validator) await db.command({ collMod: name, ...options });
    }),
  );
}

async function createCollection(db: Db, name: string, options: object): Promise<void> {
  // Another node that starts at the same moment may be first.
  await db.createCollection(name, options).catch(ignoring(NAMESPACE_EXISTS));
}

async function dropIndex(db: Db, collection: string, name: string): Promise<void> {
  await db.collection(collection).dropIndex(name).catch(ignoring(INDEX_NOT_FOUND));
}
