import type { Document } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();

describe('a unique index', () => {
  it('refuses duplicates on insert, update, replacement and upsert', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1, b: -1 }, { unique: true });
    await collection.insertMany([
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: 1, b: 2 },
    ] as Document[]);
    const id = { _id: 2 } as Document;
    const actions = [
      () => collection.insertOne({ a: 1, b: 1 }),
      () => collection.updateOne(id, { $set: { b: 1 } }),
      () => collection.replaceOne(id, { a: 1, b: 1 }),
      () => collection.updateOne({ _id: 9 } as Document, { $set: { a: 1, b: 2 } }, { upsert: true }),
      () => collection.findOneAndUpdate(id, { $set: { b: 1 } }),
    ];
    for (const action of actions) {
      const error = await refusal(action());
      expect(error).toMatchObject({ code: 11000, keyPattern: { a: 1, b: -1 } });
      expect(error.message).toMatch(/index: a_1_b_-1 dup key: \{ a: 1, b: [12] \}/);
    }
    expect(await collection.find().sort({ _id: 1 }).toArray()).toEqual([
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: 1, b: 2 },
    ]);
  });

  it('treats a missing field as null', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertOne({});
    expect(await refusal(collection.insertOne({ a: null }))).toMatchObject({ code: 11000, keyValue: { a: null } });
  });

  it('applies to each element of an array, but not within one document', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertOne({ a: [1, 2, 2] });
    expect(await refusal(collection.insertOne({ a: [3, 2] }))).toMatchObject({ code: 11000 });
    await collection.insertOne({ a: [3, 4] });
  });

  it('treats equal numbers of different types as duplicates, but not values of other types', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertMany([{ a: 1 }, { a: '1' }, { a: true }, { a: [] }, { a: {} }]);
    expect(await refusal(collection.insertOne({ a: 1.0 }))).toMatchObject({ code: 11000 });
    await collection.insertMany([{ a: 1.5 }, { a: 'ab' }, { a: 'a\0b' }]);
  });

  it('frees a value when its document changes or is deleted', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertMany([{ a: 1 }, { a: 2 }]);
    await collection.updateOne({ a: 1 }, { $set: { a: 3 } });
    await collection.deleteOne({ a: 2 });
    await collection.insertMany([{ a: 1 }, { a: 2 }]);
    expect(await collection.countDocuments({ a: { $in: [1, 2, 3] } })).toBe(3);
  });

  it('is not created over existing duplicates', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ a: 1 }, { a: 1 }]);
    expect(await refusal(collection.createIndex({ a: 1 }, { unique: true }))).toMatchObject({ code: 11000 });
    expect(await collection.indexes()).toHaveLength(1);
  });
});

describe('a partial index', () => {
  it('is unique only among the documents that match its filter', async () => {
    const collection = used.fresh();
    await collection.createIndex(
      { a: 1 },
      { unique: true, partialFilterExpression: { live: true, a: { $type: 'string' } } },
    );
    await collection.insertMany([
      { a: 'x', live: true },
      { a: 'x', live: false },
      { a: 'x' },
      { live: true },
      { live: true },
    ]);
    expect(await refusal(collection.insertOne({ a: 'x', live: true }))).toMatchObject({ code: 11000 });
    expect(await refusal(collection.updateOne({ live: false }, { $set: { live: true } }))).toMatchObject({
      code: 11000,
    });
    await collection.updateMany({ a: 'x' }, { $set: { live: false } });
    await collection.insertOne({ a: 'x', live: true });
  });

  it.each<Document>([
    { a: { $gt: 5 } },
    { a: { $exists: true } },
    { $and: [{ a: { $lte: 3 } }, { b: 1 }] },
    { a: { $in: [1, 2] } },
  ])('accepts the filter %j', async (partialFilterExpression) => {
    await used.fresh().createIndex({ a: 1 }, { partialFilterExpression });
  });

  it.each<Document>([{ a: { $ne: 5 } }, { a: { $exists: false } }, { a: /x/ }, { $nor: [{ a: 1 }] }])(
    'refuses the filter %j',
    async (partialFilterExpression) => {
      expect(await refusal(used.fresh().createIndex({ a: 1 }, { partialFilterExpression }))).toMatchObject({
        code: 67,
      });
    },
  );
});

describe('a sparse index', () => {
  it('is unique among documents that have the field, and does not hide the others', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1 }, { unique: true, sparse: true });
    await collection.insertMany([{}, {}, { a: 1 }]);
    expect(await refusal(collection.insertOne({ a: 1 }))).toMatchObject({ code: 11000 });
    expect(await collection.countDocuments({ a: null })).toBe(2);
    expect(await collection.find().sort({ a: 1 }).toArray()).toHaveLength(3);
  });
});

describe('createIndex', () => {
  it('names and lists indexes, and accepts an identical one again', async () => {
    const collection = used.fresh();
    expect(await collection.createIndex({ a: 1, 'b.c': -1 })).toBe('a_1_b.c_-1');
    expect(await collection.createIndex({ a: 1, 'b.c': -1 })).toBe('a_1_b.c_-1');
    await collection.createIndex(
      { d: 1 },
      { name: 'mine', unique: true, partialFilterExpression: { d: { $exists: true } } },
    );
    expect(await collection.indexes()).toEqual([
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1, 'b.c': -1 }, name: 'a_1_b.c_-1' },
      { v: 2, key: { d: 1 }, name: 'mine', unique: true, partialFilterExpression: { d: { $exists: true } } },
    ]);
    const command = {
      createIndexes: collection.collectionName,
      indexes: [{ key: { a: 1, 'b.c': -1 }, name: 'a_1_b.c_-1' }],
    };
    expect(await used.db.command(command)).toMatchObject({ numIndexesBefore: 3, numIndexesAfter: 3, ok: 1 });
  });

  it('refuses another index under the same name, and the same index under another name', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1 }, { name: 'x' });
    expect(await refusal(collection.createIndex({ b: 1 }, { name: 'x' }))).toMatchObject({ code: 86 });
    expect(await refusal(collection.createIndex({ a: 1 }, { name: 'y' }))).toMatchObject({ code: 85 });
    expect(await refusal(collection.createIndex({ a: 1 }, { name: 'x', unique: true }))).toMatchObject({ code: 86 });
    expect(await refusal(collection.createIndex({ a: 1 }, { name: 'x', expireAfterSeconds: 9 }))).toMatchObject({
      code: 85,
    });
    await collection.createIndex({ a: 1 }, { name: 'u', unique: true });
  });

  it('by many clients at once creates the index once', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ a: 1 }, { a: 2 }]);
    await Promise.all(Array.from({ length: 10 }, () => collection.createIndex({ a: 1 }, { unique: true })));
    expect(await collection.indexes()).toHaveLength(2);
  });

  it.each<[string, Document, Document]>([
    ['an unknown kind', { a: 'foo' }, {}],
    ['a direction of zero', { a: 0 }, {}],
    ['a TTL over two fields', { a: 1, b: 1 }, { expireAfterSeconds: 5 }],
    ['a negative TTL', { a: 1 }, { expireAfterSeconds: -1 }],
    ['sparse with a partial filter', { a: 1 }, { sparse: true, partialFilterExpression: { a: 1 } }],
  ])('refuses %s', async (_, key, options) => {
    expect(await refusal(used.fresh().createIndex(key as never, options))).toMatchObject({ code: 67 });
  });
});

describe('dropIndex', () => {
  it('removes the index and its constraint', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.insertOne({ a: 1 });
    await collection.dropIndex('a_1');
    await collection.insertOne({ a: 1 });
    expect(await collection.countDocuments({ a: 1 })).toBe(2);
    expect(await refusal(collection.dropIndex('a_1'))).toMatchObject({ code: 27 });
    expect(await refusal(collection.dropIndex('_id_'))).toMatchObject({ code: 72 });
  });
});

describe('a TTL index', () => {
  it('gets another expiry by collMod, under its name or its key', async () => {
    const collection = used.fresh();
    const collMod = collection.collectionName;
    await collection.createIndex({ at: 1 }, { name: 'expiry', expireAfterSeconds: 60 });
    const expiry = async () => (await collection.indexes()).find(({ name }) => name === 'expiry')?.expireAfterSeconds;
    expect(await used.db.command({ collMod, index: { name: 'expiry', expireAfterSeconds: 5 } })).toMatchObject({
      expireAfterSeconds_old: 60,
      expireAfterSeconds_new: 5,
    });
    expect(await expiry()).toBe(5);
    await used.db.command({ collMod, index: { keyPattern: { at: 1 }, expireAfterSeconds: 9 } });
    expect(await expiry()).toBe(9);
    // The same index is declared again without a conflict.
    await collection.createIndex({ at: 1 }, { name: 'expiry', expireAfterSeconds: 9 });
    const unknown = used.db.command({ collMod, index: { name: 'unknown', expireAfterSeconds: 5 } });
    expect(await refusal(unknown)).toMatchObject({ code: 27 });
  });

  it('removes expired documents and keeps the others', { timeout: 90_000 }, async () => {
    const collection = used.fresh();
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    const now = Date.now();
    await collection.insertMany([
      { _id: 'old', at: new Date(now - 120_000) },
      { _id: 'new', at: new Date(now) },
      { _id: 'none' },
    ] as Document[]);
    await expect.poll(() => collection.countDocuments({}), { timeout: 80_000, interval: 500 }).toBe(2);
    expect(await collection.findOne({ _id: 'old' } as Document)).toBeNull();
  });
});
