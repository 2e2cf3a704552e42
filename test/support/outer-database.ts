/**
 * The MongoDB server that `MONGODB_URL` names for the tests, if it names one. Tests get databases of their own there;
 * what they have not dropped by then is dropped after the run.
 */
import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';

/** Set before the tests run: each run drops its own databases only. */
const RUN = 'LETSAPP_TEST_RUN';
const PREFIX = 'letsapp_test_';

export const outerUrl = process.env.MONGODB_URL || undefined;

export function beginRun(): void {
  process.env[RUN] = randomBytes(4).toString('hex');
}

/** The URL of a new database there. */
export function newDatabaseUrl(url: string): string {
  return withDatabase(url, `${namesOfRun()}${randomBytes(6).toString('hex')}`);
}

export async function dropDatabase(url: string): Promise<void> {
  const client = await MongoClient.connect(url);
  await client.db().dropDatabase();
  await client.close();
}

/** Drops every database of this run. */
export async function endRun(): Promise<void> {
  if (!outerUrl) return;
  const client = await MongoClient.connect(outerUrl);
  const { databases } = await client.db().admin().listDatabases({ nameOnly: true });
  const own = databases.filter(({ name }) => name.startsWith(namesOfRun()));
  for (const { name } of own) await client.db(name).dropDatabase();
  await client.close();
}

/** What the names of the run's databases begin with. Benchmarks are no run, and drop theirs themselves. */
const namesOfRun = () => `${PREFIX}${process.env[RUN] ?? 'alone'}_`;

/** A connection string with another database. It may list several hosts, which URL does not parse. */
export function withDatabase(url: string, name: string): string {
  const parts = /^([^/]+\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(url);
  if (!parts) throw new Error('MONGODB_URL is not a connection string');
  const [, hosts = '', database, options] = parts;
  const query = new URLSearchParams(options);
  // Without it, a user is one of the database in the URL.
  if (hosts.includes('@') && !query.has('authSource')) query.set('authSource', database || 'admin');
  return `${hosts}/${name}${query.size > 0 ? `?${query}` : ''}`;
}
