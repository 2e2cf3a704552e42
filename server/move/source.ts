/** The embedded database that is moved. */
import type { MongoClient } from 'mongodb';
import { SCHEMA_VERSION } from '../model/install.ts';

const OWN_DATABASES = ['admin', 'config', 'local'];

/**
 * @returns what tells the database from all others
 * @throws Error with a one-line message where it cannot be moved: empty, of another version, or with databases beside it
 */
export async function sourceOf(client: MongoClient, name: string): Promise<string> {
  const { databases } = await client.db('admin').command({ listDatabases: 1, nameOnly: true });
  const others = (databases as { name: string }[]).filter(
    (one) => one.name !== name && !OWN_DATABASES.includes(one.name),
  );
  if (others.length > 0) {
    throw new Error(
      `DATA_DIR holds other databases, too, and only ${name} can be moved: ${others.map((one) => one.name)}`,
    );
  }
  const db = client.db(name);
  const [users] = await db.listCollections({ name: 'users' }).toArray();
  const newest = await db.collection<{ _id: number }>('migrations').find().sort({ _id: -1 }).limit(1).next();
  if (!users || !newest) throw new Error('there is nothing in the embedded database of DATA_DIR');
  if (newest._id !== SCHEMA_VERSION) {
    throw new Error(
      `the data in DATA_DIR is of schema version ${newest._id}, and this version moves ${SCHEMA_VERSION}: start the server of this version on it first`,
    );
  }
  return String((users as { info?: { uuid?: unknown } }).info?.uuid);
}
