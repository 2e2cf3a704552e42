/**
 * Brings a database to the state that the code expects: collections, validators, indexes. Every step is idempotent
 * and safe while other nodes do the same, so that nothing needs to be locked.
 */
import { type Db, MongoServerError } from 'mongodb';
import { collections } from './collections.ts';
import { INDEXES } from './indexes.ts';
import { validators } from './validators.ts';

/** Grows by one with each change of the data's shape; `MIGRATIONS` says how to get there from the one before. */
export const SCHEMA_VERSION = 2;

/** What turns the data of version n - 1 into that of version n, by n. Each must be idempotent. */
const MIGRATIONS: Record<number, (db: Db) => Promise<void>> = {
  // Marks go by the order of a conversation.
  2: (db) => dropIndex(db, 'messages', 'receipts'),
};

interface MigrationDocument {
  _id: number;
  done_at: Date;
}

/**
 * @param db the database to be brought up to date
 * @throws Error when the data is of a newer version than this code knows
 */
export async function install(db: Db): Promise<void> {
  const migrations = db.collection<MigrationDocument>('migrations');
  const newest = await migrations.find().sort({ _id: -1 }).limit(1).next();
  const found = newest?._id ?? 0;
  if (found > SCHEMA_VERSION) {
    throw new Error(`the database is of schema version ${found}, this server knows ${SCHEMA_VERSION}: upgrade it`);
  }
  const existing = new Set((await db.listCollections({}, { nameOnly: true }).toArray()).map((c) => c.name));
  const rules = validators();
  await Promise.all(
    Object.keys(collections(db)).map(async (name) => {
      const options = rules[name]
        ? { validator: rules[name], validationLevel: 'strict', validationAction: 'error' }
        : {};
      if (existing.has(name)) {
        if (found < SCHEMA_VERSION && rules[name]) await db.command({ collMod: name, ...options });
      } else {
        await createCollection(db, name, options);
      }
    }),
  );
  await Promise.all(
    Object.entries(INDEXES).map(async ([name, indexes]) => {
      if (indexes.length > 0) await db.collection(name).createIndexes(indexes);
    }),
  );
  for (let version = found + 1; version <= SCHEMA_VERSION; version++) {
    await MIGRATIONS[version]?.(db);
    await migrations.updateOne({ _id: version }, { $setOnInsert: { done_at: new Date() } }, { upsert: true });
  }
}

const INDEX_NOT_FOUND = 27;

async function dropIndex(db: Db, collection: string, name: string): Promise<void> {
  try {
    await db.collection(collection).dropIndex(name);
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== INDEX_NOT_FOUND) throw error;
  }
}

async function createCollection(db: Db, name: string, options: object): Promise<void> {
  try {
    await db.createCollection(name, options);
  } catch (error) {
    // NamespaceExists: another node that starts at the same moment was first.
    if (!(error instanceof MongoServerError && error.code === 48)) throw error;
  }
}
