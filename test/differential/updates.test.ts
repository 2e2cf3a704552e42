import type { Document, UpdateFilter } from 'mongodb';
import { Double, Int32, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();

describe('an update', () => {
  const before = {
    a: 1,
    d: 1.5,
    s: 'x',
    list: [1, 2, 3],
    docs: [
      { k: 1, v: 1 },
      { k: 2, v: 2 },
    ],
    o: { x: 1 },
  };
  const cases: [string, Document, Document][] = [
    ['$set', { $set: { a: 2 } }, { a: 2 }],
    ['$set of a nested path', { $set: { 'o.y.z': 1 } }, { o: { x: 1, y: { z: 1 } } }],
    ['$set of an element', { $set: { 'list.1': 9 } }, { list: [1, 9, 3] }],
    ['$set beyond the end of an array', { $set: { 'list.4': 9 } }, { list: [1, 2, 3, null, 9] }],
    ['$unset', { $unset: { s: '' } }, { s: undefined }],
    ['$unset nested', { $unset: { 'o.x': 1 } }, { o: {} }],
    ['$unset of an element leaves null', { $unset: { 'list.0': 1 } }, { list: [null, 2, 3] }],
    ['$inc', { $inc: { a: 5 } }, { a: 6 }],
    ['$inc of a missing field', { $inc: { n: 5 } }, { n: 5 }],
    ['$inc by a fraction', { $inc: { a: 0.5 } }, { a: 1.5 }],
    ['$min', { $min: { a: 0 } }, { a: 0 }],
    ['$min that is not lower', { $min: { a: 3 } }, {}],
    ['$max', { $max: { a: 3 } }, { a: 3 }],
    ['$max of a missing field', { $max: { n: 3 } }, { n: 3 }],
    ['$max across types', { $max: { a: 'z' } }, { a: 'z' }],
    ['$rename', { $rename: { a: 'z' } }, { a: undefined, z: 1 }],
    ['$rename into a nested path', { $rename: { a: 'o.y' } }, { a: undefined, o: { x: 1, y: 1 } }],
    ['$setOnInsert on an existing document', { $setOnInsert: { a: 9 } }, {}],
    ['$push', { $push: { list: 4 } }, { list: [1, 2, 3, 4] }],
    ['$push to a missing field', { $push: { n: 4 } }, { n: [4] }],
    ['$push $each', { $push: { list: { $each: [4, 5] } } }, { list: [1, 2, 3, 4, 5] }],
    ['$push $slice', { $push: { list: { $each: [4, 5], $slice: -3 } } }, { list: [3, 4, 5] }],
    ['$push $position', { $push: { list: { $each: [0], $position: 0 } } }, { list: [0, 1, 2, 3] }],
    ['$push $position from the end', { $push: { list: { $each: [0], $position: -1 } } }, { list: [1, 2, 0, 3] }],
    ['$push $sort', { $push: { list: { $each: [0, 9], $sort: -1 } } }, { list: [9, 3, 2, 1, 0] }],
    [
      '$push $sort by a field and $slice',
      { $push: { docs: { $each: [{ k: 0, v: 5 }], $sort: { v: -1 }, $slice: 2 } } },
      {
        docs: [
          { k: 0, v: 5 },
          { k: 2, v: 2 },
        ],
      },
    ],
    ['$addToSet', { $addToSet: { list: 4 } }, { list: [1, 2, 3, 4] }],
    ['$addToSet of an existing value', { $addToSet: { list: 2 } }, {}],
    ['$addToSet $each', { $addToSet: { list: { $each: [3, 4, 4] } } }, { list: [1, 2, 3, 4] }],
    ['$addToSet of a document', { $addToSet: { docs: { k: 1, v: 1 } } }, {}],
    ['$pull of a value', { $pull: { list: 2 } }, { list: [1, 3] }],
    ['$pull by operators', { $pull: { list: { $gte: 2 } } }, { list: [1] }],
    ['$pull by a query', { $pull: { docs: { k: 2 } } }, { docs: [{ k: 1, v: 1 }] }],
    ['$pull $in', { $pull: { list: { $in: [1, 3] } } }, { list: [2] }],
    ['$pull from a missing field', { $pull: { n: 1 } }, {}],
    [
      'several operators',
      { $set: { s: 'y' }, $inc: { a: 1 }, $push: { list: 4 } },
      { s: 'y', a: 2, list: [1, 2, 3, 4] },
    ],
  ];

  it.each(cases)('%s', async (_, update, changed) => {
    const collection = used.fresh();
    await collection.insertOne({ _id: 1, ...before } as Document);
    const result = await collection.updateOne({}, update as UpdateFilter<Document>);
    const expected: Document = { _id: 1, ...before, ...changed };
    for (const name of Object.keys(expected)) if (expected[name] === undefined) delete expected[name];
    expect(await collection.findOne()).toEqual(expected);
    expect(result).toMatchObject({ matchedCount: 1, modifiedCount: Object.keys(changed).length > 0 ? 1 : 0 });
  });

  it.each<[string, Document, number]>([
    ['an unknown operator', { $foo: { a: 1 } }, 9],
    ['two operators on one path', { $set: { a: 1 }, $inc: { a: 1 } }, 40],
    ['a path and a path below it', { $set: { o: {}, 'o.x': 1 } }, 40],
    ['another _id', { $set: { _id: 2 } }, 66],
    ['no _id', { $unset: { _id: 1 } }, 66],
    ['$inc of a string', { $inc: { s: 1 } }, 14],
    ['$inc by a string', { $inc: { a: 'x' } }, 14],
    ['$push to a number', { $push: { a: 1 } }, 2],
    ['$addToSet to a number', { $addToSet: { a: 1 } }, 2],
    ['$pull of a number', { $pull: { a: 1 } }, 2],
    ['a path below a scalar', { $set: { 'a.b': 1 } }, 28],
    ['a path below an array', { $set: { 'list.x': 1 } }, 28],
    ['an empty path', { $set: { '': 1 } }, 56],
    ['an empty part of a path', { $set: { 'a..b': 1 } }, 56],
    ['$ without a match in an array', { $set: { 'list.$': 1 } }, 2],
  ])('refuses %s and changes nothing', async (_, update, code) => {
    const collection = used.fresh();
    await collection.insertOne({ _id: 1, ...before } as Document);
    expect(await refusal(collection.updateOne({}, update as UpdateFilter<Document>))).toMatchObject({ code });
    expect(await collection.findOne()).toEqual({ _id: 1, ...before });
  });

  it('by $ changes the element that the query matched', async () => {
    const collection = used.fresh();
    await collection.insertOne(before);
    await collection.updateOne({ 'docs.k': 2 }, { $set: { 'docs.$.v': 7 } });
    await collection.updateOne({ list: { $gte: 2 } }, { $set: { 'list.$': 8 } });
    await collection.updateOne({ docs: { $elemMatch: { k: 1, v: 1 } } }, { $inc: { 'docs.$.v': 1 } });
    expect(await collection.findOne({}, { projection: { _id: 0, docs: 1, list: 1 } })).toEqual({
      docs: [
        { k: 1, v: 2 },
        { k: 2, v: 7 },
      ],
      list: [1, 8, 3],
    });
  });

  it('keeps the types of numbers', async () => {
    const collection = used.fresh();
    await collection.insertOne({
      i: new Int32(1),
      d: new Double(1),
      l: Long.fromNumber(1),
      max: new Int32(2147483647),
    });
    await collection.updateOne({}, { $inc: { i: 1, d: 1, l: 1, max: 1 }, $set: { s: 1 } });
    const types = await collection
      .aggregate([
        {
          $project: {
            _id: 0,
            i: { $type: '$i' },
            d: { $type: '$d' },
            l: { $type: '$l' },
            max: { $type: '$max' },
            s: { $type: '$s' },
          },
        },
      ])
      .toArray();
    expect(types).toEqual([{ i: 'int', d: 'double', l: 'long', max: 'long', s: 'int' }]);
    expect(await collection.findOne({ max: 2147483648 })).toMatchObject({ i: 2, d: 2, l: 2 });
  });

  it('by pipeline computes values from the document', async () => {
    const collection = used.fresh();
    await collection.insertOne({ a: 1, b: 2, list: [1] });
    const result = await collection.updateOne({}, [
      { $set: { sum: { $add: ['$a', '$b'] }, 'o.x': '$a', list: { $concatArrays: ['$list', [2]] } } },
      { $unset: 'b' },
    ]);
    expect(result.modifiedCount).toBe(1);
    expect(await collection.findOne({}, { projection: { _id: 0 } })).toEqual({
      a: 1,
      sum: 3,
      o: { x: 1 },
      list: [1, 2],
    });
    expect(await refusal(collection.updateOne({}, [{ $group: { _id: null } }]))).toMatchObject({ code: 72 });
  });

  it('appends new fields in lexicographic order', async () => {
    const collection = used.fresh();
    await collection.insertOne({ m: 1 });
    await collection.updateOne({}, { $set: { z: 1, a: 1 }, $inc: { k: 1 } });
    expect(Object.keys((await collection.findOne()) ?? {})).toEqual(['_id', 'm', 'a', 'k', 'z']);
  });

  it('of many documents reports how many matched and how many changed', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ n: 1 }, { n: 1 }, { n: 2 }]);
    const result = await collection.updateMany({ n: { $gte: 1 } }, { $max: { n: 2 } });
    expect(result).toMatchObject({ matchedCount: 3, modifiedCount: 2 });
    expect(await collection.countDocuments({ n: 2 })).toBe(3);
  });

  it('of the index that it scans changes each document once', async () => {
    const collection = used.fresh();
    await collection.createIndex({ n: 1 });
    await collection.insertMany(Array.from({ length: 300 }, (_, n) => ({ n })));
    const result = await collection.updateMany({ n: { $gte: 0 } }, { $inc: { n: 1000 } });
    expect(result.modifiedCount).toBe(300);
    expect(await collection.countDocuments({ n: { $gte: 1000, $lt: 1300 } })).toBe(300);
  });

  it('by replacement keeps only the _id', async () => {
    const collection = used.fresh();
    await collection.insertOne({ _id: 1, a: 1 } as Document);
    expect(await collection.replaceOne({ a: 1 }, { b: 2 })).toMatchObject({ matchedCount: 1, modifiedCount: 1 });
    expect(await collection.findOne()).toEqual({ _id: 1, b: 2 });
    expect(await refusal(collection.replaceOne({}, { _id: 2, b: 2 } as Document))).toMatchObject({ code: 66 });
  });
});
