/** Upserts by writers who race. The proxy interleaves them as an engine with concurrent writers does. */
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { upsert, upsertAll } from '../../server/model/batches.ts';
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../support/database.ts';
import { failure, startWireProxy, type WireProxy, writeError } from '../support/wire-proxy.ts';

interface Progress {
  _id: number;
  seq: number;
  writes: number;
}

let database: EmbeddedDatabase;
let proxy: WireProxy;
let clients: MongoClient[];
let collection: Collection<Progress>;
let rivals: Collection<Progress>;
let serial = 0;

beforeAll(async () => {
  database = await startEmbeddedDatabase();
  proxy = await startWireProxy(database.url, { isReplicaSet: false });
  clients = await Promise.all([proxy.url, database.url].map((url) => MongoClient.connect(url)));
  [collection, rivals] = clients.map((client) => client.db().collection<Progress>('progress')) as [
    Collection<Progress>,
    Collection<Progress>,
  ];
});
afterEach(() => proxy.intercept());
afterAll(async () => {
  await Promise.all((clients ?? []).map((client) => client.close()));
  await proxy?.close();
  await database?.stop();
});

/** Moves a document on to `seq`, unless it is there or further on. */
const moveTo = (_id: number, seq: number) => ({
  filter: { _id, seq: { $lt: seq } },
  update: { $set: { seq }, $inc: { writes: 1 } },
});

/** Between the look and the insert of the next upserts, somebody else inserts. Then they are duplicates. */
function insertBetween(others: Progress[]): void {
  proxy.intercept(async ({ name, body }) => {
    if (name !== 'update' || !body.updates.some((update: { upsert?: boolean }) => update.upsert)) return undefined;
    proxy.intercept();
    await rivals.insertMany(others);
    const codes = body.updates.map((_: unknown, index: number) => writeError(11_000, index).writeErrors[0]);
    return { ok: 1, n: 0, nModified: 0, writeErrors: codes };
  });
}

it('many upserts of documents that are there and do not match are two commands', async () => {
  const others = Array.from({ length: 20 }, () => ({ _id: ++serial, seq: 5, writes: 0 }));
  await rivals.insertMany(others);
  const commands: string[] = [];
  proxy.intercept(async ({ name }) => {
    commands.push(name);
    return undefined;
  });
  const wrote = await upsertAll(
    collection,
    others.map(({ _id }) => moveTo(_id, 5)),
  );
  expect(wrote).toEqual(others.map(() => false));
  expect(commands).toEqual(['update', 'find']);
});

describe('an upsert that somebody is quicker than', () => {
  it('writes where the document that is there by then still matches, and only there', async () => {
    const [behind, level, ahead] = [++serial, ++serial, ++serial];
    const others = [
      { _id: behind, seq: 4, writes: 0 },
      { _id: level, seq: 5, writes: 0 },
      { _id: ahead, seq: 6, writes: 0 },
    ];
    insertBetween(others);
    const wrote = await upsertAll(
      collection,
      others.map(({ _id }) => moveTo(_id, 5)),
    );
    expect(wrote).toEqual([true, false, false]);
    expect(await collection.find({ _id: { $gte: behind } }, { sort: { _id: 1 } }).toArray()).toEqual([
      { _id: behind, seq: 5, writes: 1 },
      { _id: level, seq: 5, writes: 0 },
      { _id: ahead, seq: 6, writes: 0 },
    ]);
  });

  it('alone does so, too', async () => {
    const [behind, ahead] = [++serial, ++serial];
    insertBetween([{ _id: behind, seq: 4, writes: 0 }]);
    expect(await upsert(collection, moveTo(behind, 5))).toBe(true);
    insertBetween([{ _id: ahead, seq: 6, writes: 0 }]);
    expect(await upsert(collection, moveTo(ahead, 5))).toBe(false);
    expect(await collection.findOne({ _id: behind })).toEqual({ _id: behind, seq: 5, writes: 1 });
  });

  it('ends at the highest, whoever comes first, and each writer knows whether it wrote', async () => {
    for (let race = 0; race < 50; race++) {
      const _id = ++serial;
      const seqs = race % 2 === 0 ? [1, 2] : [2, 1];
      let looked = 0;
      let inserted = () => {};
      const first = new Promise<void>((resolve) => {
        inserted = resolve;
      });
      // Both look before either inserts; the second insert is refused.
      proxy.intercept(async ({ name, body }, pass) => {
        if (name !== 'update' || !body.updates[0].upsert) return undefined;
        if (looked++ > 0) {
          await first;
          return writeError(11_000);
        }
        const reply = await pass();
        inserted();
        return reply;
      });
      const wrote = await Promise.all(seqs.map((seq) => upsertAll(collection, [moveTo(_id, seq)])));
      const stored = await collection.findOne({ _id });
      expect(stored!.seq).toBe(2);
      expect(wrote.flat().filter((one) => one === true)).toHaveLength(stored!.writes);
    }
  });
});

it('what an upsert is refused with otherwise comes out as that, and does not touch the others', async () => {
  const [refused, other] = [++serial, ++serial];
  proxy.intercept(async ({ name, body }, pass) => {
    if (name !== 'update') return undefined;
    proxy.intercept();
    expect(body.updates).toHaveLength(2);
    return { ...(await pass()), writeErrors: [{ index: 0, code: 11_602, errmsg: 'the primary steps down' }] };
  });
  const [first, second] = await upsertAll(collection, [moveTo(refused, 1), moveTo(other, 1)]);
  expect(first).toMatchObject({ code: 11_602 });
  expect(second).toBe(true);
  proxy.intercept(({ name }) => (name === 'update' ? failure(11_602) : undefined));
  await expect(upsertAll(collection, [moveTo(++serial, 1)])).rejects.toMatchObject({ code: 11_602 });
});
