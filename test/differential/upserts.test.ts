import type { Document } from 'mongodb';
import { ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();

describe('an upsert', () => {
  it('inserts the equalities of the query and the values of the update', async () => {
    const collection = used.fresh();
    const result = await collection.updateOne(
      { a: 1, 'o.x': { $eq: 2 }, n: { $gt: 5 }, $and: [{ b: 'y' }] },
      { $set: { s: 1 }, $setOnInsert: { t: 2 }, $inc: { c: 3 } },
      { upsert: true },
    );
    expect(result).toMatchObject({ matchedCount: 0, modifiedCount: 0, upsertedCount: 1 });
    expect(result.upsertedId).toBeInstanceOf(ObjectId);
    expect(await collection.findOne({}, { projection: { _id: 0 } })).toEqual({
      a: 1,
      o: { x: 2 },
      b: 'y',
      s: 1,
      t: 2,
      c: 3,
    });
  });

  it('uses the _id of the query', async () => {
    const collection = used.fresh();
    await collection.updateOne({ _id: 'k' as never }, { $set: { v: 1 } }, { upsert: true });
    await collection.replaceOne({ _id: 'r' as never }, { v: 2 }, { upsert: true });
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 'k', v: 1 },
      { _id: 'r', v: 2 },
    ]);
  });

  it('by many clients at once inserts one document; the others update it or are refused as duplicates', async () => {
    const collection = used.fresh();
    await collection.createIndex({ k: 1 }, { unique: true });
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => collection.updateOne({ k: 1 }, { $inc: { n: 1 } }, { upsert: true })),
    );
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 11000 });
    const done = results.filter((result) => result.status === 'fulfilled').length;
    expect(await collection.find().toArray()).toMatchObject([{ k: 1, n: done }]);
  });

  it('refuses two values for one field', async () => {
    const action = used.fresh().updateOne({ $and: [{ a: 1 }, { a: 2 }] }, { $set: { b: 1 } }, { upsert: true });
    expect(await refusal(action)).toMatchObject({ code: 54 });
  });
});

describe('find and modify', () => {
  it('returns the document before or after the update', async () => {
    const collection = used.fresh();
    await collection.insertOne({ _id: 1, n: 1 } as Document);
    expect(await collection.findOneAndUpdate({}, { $inc: { n: 1 } })).toEqual({ _id: 1, n: 1 });
    expect(await collection.findOneAndUpdate({}, { $inc: { n: 1 } }, { returnDocument: 'after' })).toEqual({
      _id: 1,
      n: 3,
    });
    expect(await collection.findOneAndUpdate({ n: 99 }, { $inc: { n: 1 } })).toBeNull();
  });

  it('picks the first document in the requested order and projects it', async () => {
    const collection = used.fresh();
    await collection.insertMany([
      { n: 1, s: 'a' },
      { n: 3, s: 'c' },
      { n: 2, s: 'b' },
    ]);
    const found = await collection.findOneAndUpdate(
      {},
      { $set: { taken: true } },
      { sort: { n: -1 }, projection: { _id: 0, s: 1 } },
    );
    expect(found).toEqual({ s: 'c' });
    expect(await collection.countDocuments({ taken: true, n: 3 })).toBe(1);
  });

  it('reports whether it updated or inserted', async () => {
    const collection = used.fresh();
    const options = { upsert: true, returnDocument: 'after', includeResultMetadata: true } as const;
    const first = await collection.findOneAndUpdate({ k: 1 }, { $set: { v: 1 } }, options);
    expect(first.lastErrorObject).toMatchObject({ n: 1, updatedExisting: false, upserted: first.value?._id });
    const second = await collection.findOneAndUpdate({ k: 1 }, { $set: { v: 2 } }, options);
    expect(second.lastErrorObject).toEqual({ n: 1, updatedExisting: true });
  });

  it('deletes and replaces', async () => {
    const collection = used.fresh();
    await collection.insertOne({ _id: 1, n: 1 } as Document);
    expect(await collection.findOneAndReplace({ n: 1 }, { m: 1 }, { returnDocument: 'after' })).toEqual({
      _id: 1,
      m: 1,
    });
    expect(await collection.findOneAndDelete({ m: 1 })).toEqual({ _id: 1, m: 1 });
    expect(await collection.findOneAndDelete({ m: 1 })).toBeNull();
  });

  it('lets exactly one of many concurrent conditional updates win', async () => {
    const collection = used.fresh();
    await collection.insertOne({ state: 'ringing' });
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, by) =>
        collection.findOneAndUpdate({ state: 'ringing' }, { $set: { state: 'taken', by } }),
      ),
    );
    expect(results.filter((result) => result !== null)).toHaveLength(1);
  });
});
