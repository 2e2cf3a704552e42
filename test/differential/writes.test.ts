import type { Document, MongoBulkWriteError } from 'mongodb';
import { Binary, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();

describe('insert', () => {
  it('returns every type as it was stored, with _id first', async () => {
    const collection = used.fresh();
    const doc = {
      s: 'text \u0000 with zero, é, 😀',
      i: new Int32(1),
      d: new Double(1),
      f: 1.5,
      l: Long.fromString('9007199254740993'),
      b: new Binary(Buffer.from([0, 255]), 0),
      id: new ObjectId(),
      t: new Date(0),
      ts: new Timestamp({ t: 1, i: 2 }),
      n: null,
      a: [1, [2], { x: 1 }],
      o: { __proto__x: 1, nested: {} },
      yes: true,
    };
    const { insertedId } = await collection.insertOne({ ...doc });
    const found = await collection.findOne({}, { promoteValues: false });
    expect(Object.keys(found ?? {})[0]).toBe('_id');
    expect(found?._id).toEqual(insertedId);
    expect(found?.d).toEqual(new Double(1));
    expect(found?.i).toEqual(new Int32(1));
    expect(found?.l.toString()).toBe('9007199254740993');
    expect(found).toMatchObject({ s: doc.s, b: doc.b, id: doc.id, t: doc.t, ts: doc.ts, n: null, yes: true });
  });

  it('refuses a duplicate _id and names it', async () => {
    const collection = used.fresh();
    await collection.insertOne({ _id: 'a' } as Document);
    const error = await refusal(collection.insertOne({ _id: 'a' } as Document));
    expect(error).toMatchObject({ code: 11000, keyPattern: { _id: 1 }, keyValue: { _id: 'a' } });
    expect(error.message).toContain(
      `E11000 duplicate key error collection: ${collection.namespace} index: _id_ dup key: { _id: "a" }`,
    );
  });

  it('ordered stops at the first failure', async () => {
    const collection = used.fresh();
    const docs = [{ _id: 1 }, { _id: 1 }, { _id: 2 }] as Document[];
    const error = (await refusal(collection.insertMany(docs))) as unknown as MongoBulkWriteError;
    expect(error.insertedCount).toBe(1);
    expect(error.writeErrors).toMatchObject([{ index: 1, code: 11000 }]);
    expect(await collection.countDocuments()).toBe(1);
  });

  it('unordered continues after failures and reports each by its index', async () => {
    const collection = used.fresh();
    const docs = [{ _id: 1 }, { _id: 1 }, { _id: 2 }, { _id: 2 }] as Document[];
    const error = (await refusal(collection.insertMany(docs, { ordered: false }))) as unknown as MongoBulkWriteError;
    expect(error.insertedCount).toBe(2);
    expect([error.writeErrors].flat().map(({ index }) => index)).toEqual([1, 3]);
  });

  it('refuses documents nested too deeply', async () => {
    const nested = (levels: number): Document => (levels === 0 ? {} : { a: nested(levels - 1) });
    const collection = used.fresh();
    await collection.insertOne({ d: nested(150) });
    expect(await refusal(collection.insertOne({ d: nested(190) }))).toMatchObject({ code: 15 });
  });

  it('refuses an array as _id', async () => {
    const error = await refusal(used.fresh().insertOne({ _id: [1] } as Document));
    expect(error).toMatchObject({ code: 53 });
  });

  it('refuses parallel arrays in an index', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1, b: 1 });
    expect(await refusal(collection.insertOne({ a: [1, 2], b: [1, 2] }))).toMatchObject({ code: 171 });
    expect(await collection.countDocuments()).toBe(0);
  });

  it('of one unique key by many clients at once succeeds once', async () => {
    const collection = used.fresh();
    await collection.createIndex({ k: 1 }, { unique: true });
    const results = await Promise.allSettled(Array.from({ length: 30 }, () => collection.insertOne({ k: 1 })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('bulkWrite', () => {
  it('runs all kinds of writes and counts them', async () => {
    const collection = used.fresh();
    const result = await collection.bulkWrite([
      { insertOne: { document: { k: 1 } } },
      { insertOne: { document: { k: 2 } } },
      { updateOne: { filter: { k: 1 }, update: { $set: { v: 1 } } } },
      { updateMany: { filter: {}, update: { $set: { w: 1 } } } },
      { updateOne: { filter: { k: 9 }, update: { $set: { v: 9 } }, upsert: true } },
      { replaceOne: { filter: { k: 2 }, replacement: { k: 3 } } },
      { deleteOne: { filter: { k: 1 } } },
      { deleteMany: { filter: { k: 'none' } } },
    ]);
    expect(result).toMatchObject({
      insertedCount: 2,
      matchedCount: 4,
      modifiedCount: 4,
      upsertedCount: 1,
      deletedCount: 1,
    });
    expect(Object.keys(result.upsertedIds)).toEqual(['4']);
    expect(
      await collection
        .find({}, { projection: { _id: 0 } })
        .sort({ k: 1 })
        .toArray(),
    ).toEqual([{ k: 3 }, { k: 9, v: 9 }]);
  });

  it('unordered reports failed updates by their index', async () => {
    const collection = used.fresh();
    await collection.createIndex({ k: 1 }, { unique: true });
    await collection.insertMany([{ k: 1 }, { k: 2 }, { k: 3 }]);
    const updates = [
      { updateOne: { filter: { k: 1 }, update: { $set: { v: 1 } } } },
      { updateOne: { filter: { k: 2 }, update: { $set: { k: 1 } } } },
      { updateOne: { filter: { k: 3 }, update: { $set: { v: 1 } } } },
    ];
    const error = (await refusal(collection.bulkWrite(updates, { ordered: false }))) as unknown as MongoBulkWriteError;
    expect(error.writeErrors).toMatchObject([{ index: 1, code: 11000 }]);
    expect(await collection.countDocuments({ v: 1 })).toBe(2);
  });
});

describe('delete', () => {
  it('removes one or all matching documents, also from the indexes', async () => {
    const collection = used.fresh();
    await collection.createIndex({ k: 1 });
    await collection.insertMany([{ k: 1 }, { k: 1 }, { k: 1 }, { k: 2 }]);
    expect(await collection.deleteOne({ k: 1 })).toMatchObject({ deletedCount: 1 });
    expect(await collection.countDocuments({ k: 1 })).toBe(2);
    expect(await collection.deleteMany({ k: 1 })).toMatchObject({ deletedCount: 2 });
    expect(await collection.countDocuments({ k: 1 })).toBe(0);
    expect(await collection.deleteMany({})).toMatchObject({ deletedCount: 1 });
  });
});

describe('an unacknowledged write', () => {
  it('is carried out', async () => {
    const collection = used.fresh();
    await collection.insertOne({ k: 1 }, { writeConcern: { w: 0 } });
    await expect.poll(() => collection.countDocuments()).toBe(1);
  });
});

describe('the write concern majority', () => {
  it('is accepted', async () => {
    const collection = used.fresh();
    await collection.insertOne({ k: 1 }, { writeConcern: { w: 'majority', j: true } });
    expect(await collection.findOne({}, { readConcern: 'majority', readPreference: 'primaryPreferred' })).toMatchObject(
      { k: 1 },
    );
  });
});
