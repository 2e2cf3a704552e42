import { type Collection, type Db, type IndexDescription, MongoClient } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { INDEXES } from '../../server/model/indexes.ts';
import { install } from '../../server/model/install.ts';
import { installIndexes } from '../../server/model/install-indexes.ts';
import { startDatabase, startEmbeddedDatabase, type TestDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { startWireProxy } from '../support/wire-proxy.ts';

const log = pino({ level: 'silent' });
let database: TestDatabase;
let client: MongoClient;
let db: Db;
let serial = 0;

beforeAll(async () => {
  database = await startDatabase();
  client = await MongoClient.connect(database.url);
  db = client.db();
});
afterAll(async () => {
  await client?.close();
  await database?.stop();
});

/** A collection with indexes that somebody made, and a way to install what is declared. */
async function collectionWith(...stored: IndexDescription[]) {
  const collection: Collection = db.collection(`c${++serial}`);
  await collection.insertMany([{ a: 1 }, { a: 2, at: new Date() }]);
  if (stored.length > 0) await collection.createIndexes(stored);
  const declare = (...declared: IndexDescription[]) =>
    installIndexes(db, log, { declared: { [collection.collectionName]: declared } });
  const indexes = async () => (await collection.indexes()).slice(1).map(({ v: _, ...index }) => index);
  return { declare, indexes };
}

describe('an index that differs from what is declared', () => {
  const others: [string, IndexDescription, IndexDescription][] = [
    [
      'its expiry',
      { name: 'i', key: { at: 1 }, expireAfterSeconds: 60 },
      { name: 'i', key: { at: 1 }, expireAfterSeconds: 5 },
    ],
    ['that it has an expiry', { name: 'i', key: { at: 1 } }, { name: 'i', key: { at: 1 }, expireAfterSeconds: 5 }],
    ['that it has none', { name: 'i', key: { at: 1 }, expireAfterSeconds: 60 }, { name: 'i', key: { at: 1 } }],
    ['its key', { name: 'i', key: { a: 1 } }, { name: 'i', key: { a: 1, at: -1 } }],
    ['that it is unique', { name: 'i', key: { a: 1 } }, { name: 'i', key: { a: 1 }, unique: true }],
    [
      'its filter',
      { name: 'i', key: { a: 1 }, partialFilterExpression: { a: 1 } },
      { name: 'i', key: { a: 1 }, partialFilterExpression: { a: 2 } },
    ],
    ['its name', { name: 'old', key: { a: 1 } }, { name: 'i', key: { a: 1 } }],
  ];

  it.each(others)('in %s is brought to it, and installed again without a change', async (_what, stored, declared) => {
    const { declare, indexes } = await collectionWith(stored);
    await declare(declared);
    expect(await indexes()).toEqual([declared]);
    await declare(declared);
    expect(await indexes()).toEqual([declared]);
  });

  it.each(others)('in %s is brought to it by several nodes that start at once', async (_what, stored, declared) => {
    const { declare, indexes } = await collectionWith(stored);
    await Promise.all(Array.from({ length: 5 }, () => declare(declared)));
    expect(await indexes()).toEqual([declared]);
  });

  it('does not touch others, of an operator or declared', async () => {
    const operators = { name: 'mine', key: { b: 1 } };
    const kept = { name: 'kept', key: { a: 1, b: 1 } };
    const { declare, indexes } = await collectionWith(operators, kept, { name: 'i', key: { a: 1 } });
    await declare(kept, { name: 'i', key: { a: -1 } });
    expect(await indexes()).toEqual([operators, kept, { name: 'i', key: { a: -1 } }]);
  });
});

it('an index that the data does not allow stops the start', async () => {
  const { declare } = await collectionWith();
  await declare();
  await expect(declare({ name: 'u', key: { b: 1 }, unique: true })).rejects.toMatchObject({ code: 11_000 });
});

it('every declared index is as declared after a start on a database whose indexes all differ', async () => {
  const own = client.db(`${db.databaseName}_other`);
  await install(own, log);
  const declared = Object.entries(INDEXES).flatMap(([name, indexes]) => indexes.map((index) => [name, index] as const));
  for (const [i, [name, index]] of declared.entries()) {
    const isPlain = Object.keys(index.key).length === 1 && !index.partialFilterExpression && !index.unique;
    const changed = isPlain
      ? { ...index, expireAfterSeconds: (index.expireAfterSeconds ?? 0) + 1 }
      : { name: index.name!, key: { [`other_${i}`]: 1 } };
    await own.collection(name).dropIndex(index.name!);
    await own.collection(name).createIndexes([changed]);
  }
  await install(own, log);
  for (const [name, index] of declared) {
    const stored = (await own.collection(name).indexes()).find((one) => one.name === index.name);
    expect(stored).toMatchObject({ ...index });
    expect(stored!.expireAfterSeconds).toBe(index.expireAfterSeconds);
  }
  await own.dropDatabase();
});

it('indexes that a migration retires are gone, and those in their place are there', async () => {
  const own = client.db(`${db.databaseName}_retired`);
  await install(own, log);
  await own
    .collection('memberships')
    .createIndex({ user_id: 1, conversation_id: 1 }, { name: 'user_conversation', unique: true });
  await own.collection('contacts').createIndex({ pair: 1, status: 1 }, { name: 'pair_status' });
  await own.collection('memberships').dropIndex('conversation_user');
  await own.collection<{ _id: number }>('migrations').deleteMany({ _id: { $gt: 3 } });
  await install(own, log);
  for (const collection of ['memberships', 'contacts'] as const) {
    const stored = (await own.collection(collection).indexes()).map(({ name }) => name);
    expect(stored.toSorted()).toEqual(['_id_', ...INDEXES[collection].map(({ name }) => name)].toSorted());
  }
  await own.dropDatabase();
});

it('a server starts on a database whose expiry was changed', async () => {
  const embedded = await startEmbeddedDatabase();
  const env = { MONGODB_URL: embedded.url };
  const first = await startServer({ env });
  await first.stop();
  const other = await MongoClient.connect(embedded.url);
  const tokens = other.db().collection('password_reset_tokens');
  await tokens.dropIndex('expiry');
  await tokens.createIndex({ expiry: 1 }, { name: 'expiry', expireAfterSeconds: 1 });
  const second = await startServer({ env });
  const indexes = await tokens.indexes();
  expect(indexes.find(({ name }) => name === 'expiry')).toMatchObject({ expireAfterSeconds: 86_400 });
  await second.stop();
  await other.close();
  await embedded.stop();
});

it('while a build waits, the log says so', async () => {
  const embedded = await startEmbeddedDatabase();
  const proxy = await startWireProxy(embedded.url);
  const behind = await MongoClient.connect(proxy.url);
  let goOn = () => {};
  const waits = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  proxy.intercept(async ({ name }) => {
    if (name === 'createIndexes') await waits;
    return undefined;
  });
  const warn = vi.fn();
  const installing = installIndexes(behind.db(), { warn } as never, {
    declared: { c: [{ name: 'slow', key: { a: 1 } }] },
    sayMs: 20,
  });
  await expect.poll(() => warn.mock.calls.length).toBeGreaterThan(1);
  expect(warn).toHaveBeenCalledWith(
    expect.objectContaining({ collection: 'c', indexes: ['slow'] }),
    'the start waits for indexes',
  );
  goOn();
  await installing;
  await behind.close();
  await proxy.close();
  await embedded.stop();
});
