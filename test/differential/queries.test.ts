import type { Document } from 'mongodb';
import { BSONRegExp, Double, Int32, Long, ObjectId } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();
const id = new ObjectId('65f000000000000000000001');
const day = new Date('2024-05-01T00:00:00Z');

const docs: Document[] = [
  {
    _id: 1,
    n: 5,
    s: 'apple',
    tags: ['x', 'y'],
    o: { a: 1, b: 2 },
    items: [
      { k: 1, v: 10 },
      { k: 2, v: 20 },
    ],
  },
  { _id: 2, n: 7.5, s: 'Banana', tags: [], o: { b: 2, a: 1 }, items: [{ k: 1, v: 20 }] },
  { _id: 3, n: null, s: 'cherry', tags: ['y'], id, at: day },
  { _id: 4, s: 'apricot', tags: 'x', n: [1, 9], flag: true },
  { _id: 5, n: Long.fromNumber(8), nested: { deep: { list: [1, 2, 3] } }, matrix: [[1, 2], [3]] },
  { _id: 6, n: '5', o: { a: null }, items: [] },
];

describe('a filter', () => {
  const cases: [string, Document, number[]][] = [
    ['equal number, whatever its type', { n: 5 }, [1]],
    ['equal number as double', { n: new Double(5) }, [1]],
    ['equal number as long', { n: Long.fromNumber(8) }, [5]],
    ['equal element of an array', { n: 9 }, [4]],
    ['equal whole array', { tags: ['x', 'y'] }, [1]],
    ['an array in another order is a different value', { tags: ['y', 'x'] }, []],
    ['empty array', { tags: [] }, [2]],
    ['array in an array', { matrix: [1, 2] }, [5]],
    ['an element of an array in an array does not count', { matrix: 1 }, []],
    ['null finds missing fields', { n: null }, [3]],
    ['null in a nested path', { 'o.a': null }, [3, 4, 5, 6]],
    ['null below an empty array', { 'items.k': null }, [3, 4, 5]],
    ['documents are equal only in the same field order', { o: { a: 1, b: 2 } }, [1]],
    ['dotted path', { 'o.a': 1 }, [1, 2]],
    ['dotted path through an array', { 'items.v': 20 }, [1, 2]],
    ['dotted path with an index', { 'items.0.v': 20 }, [2]],
    ['deep array', { 'nested.deep.list': 2 }, [5]],
    ['ObjectId', { id }, [3]],
    ['Date', { at: day }, [3]],
    ['boolean', { flag: true }, [4]],
    ['$eq', { n: { $eq: 5 } }, [1]],
    ['$ne includes missing', { n: { $ne: 5 } }, [2, 3, 4, 5, 6]],
    ['$gt compares within the type', { n: { $gt: 5 } }, [2, 4, 5]],
    ['$gte', { n: { $gte: 7.5 } }, [2, 4, 5]],
    ['$lt', { n: { $lt: 5 } }, [4]],
    ['$lte', { n: { $lte: 5 } }, [1, 4]],
    ['$gt and $lt by different elements', { n: { $gt: 2, $lt: 8 } }, [1, 2, 4]],
    ['$gte null', { n: { $gte: null } }, [3]],
    ['$lt date', { at: { $lt: new Date('2024-06-01') } }, [3]],
    ['$gt string', { s: { $gt: 'apricot' } }, [3]],
    ['$in', { n: { $in: [5, 8, 'z'] } }, [1, 5]],
    ['$in with null', { n: { $in: [null, 5] } }, [1, 3]],
    ['$in with a regular expression', { s: { $in: [/^ap/, 'cherry'] } }, [1, 3, 4]],
    ['$in nothing', { n: { $in: [] } }, []],
    ['$nin', { n: { $nin: [5, null] } }, [2, 4, 5, 6]],
    ['$exists', { n: { $exists: true } }, [1, 2, 3, 4, 5, 6]],
    ['$exists nested', { 'o.b': { $exists: true } }, [1, 2]],
    ['$exists false', { at: { $exists: false } }, [1, 2, 4, 5, 6]],
    ['$exists false below scalars in an array', { 'tags.z': { $exists: false } }, [1, 2, 3, 4, 5, 6]],
    ['$type by alias', { n: { $type: 'string' } }, [6]],
    ['$type by number', { n: { $type: 10 } }, [3]],
    ['$type of elements', { tags: { $type: 'string' } }, [1, 3, 4]],
    ['$type array', { tags: { $type: 'array' } }, [1, 2, 3]],
    ['$type number', { n: { $type: 'number' } }, [1, 2, 4, 5]],
    ['$type several', { n: { $type: ['null', 'long'] } }, [3, 5]],
    ['$regex', { s: { $regex: '^ap' } }, [1, 4]],
    ['$regex with options', { s: { $regex: '^b', $options: 'i' } }, [2]],
    ['regular expression value', { s: /AN/i }, [2]],
    ['regular expression on elements', { tags: /^x$/ }, [1, 4]],
    ['$not regular expression', { s: { $not: /^a/ } }, [2, 3, 5, 6]],
    ['$all', { tags: { $all: ['x', 'y'] } }, [1]],
    ['$all of a scalar', { tags: { $all: ['x'] } }, [1, 4]],
    ['$all nothing', { tags: { $all: [] } }, []],
    ['$all with $elemMatch', { items: { $all: [{ $elemMatch: { k: 1 } }, { $elemMatch: { v: 20 } }] } }, [1, 2]],
    ['$elemMatch on one element', { items: { $elemMatch: { k: 1, v: 20 } } }, [2]],
    ['two dotted paths by different elements', { 'items.k': 1, 'items.v': 20 }, [1, 2]],
    ['$elemMatch with operators', { n: { $elemMatch: { $gt: 2, $lt: 10 } } }, [4]],
    ['$elemMatch with $or', { items: { $elemMatch: { $or: [{ k: 2 }, { v: 99 }] } } }, [1]],
    ['$elemMatch with $not', { tags: { $elemMatch: { $ne: 'y' } } }, [1]],
    ['$size', { tags: { $size: 1 } }, [3]],
    ['$size zero', { tags: { $size: 0 } }, [2]],
    ['$and', { $and: [{ n: 5 }, { s: 'apple' }] }, [1]],
    ['$or', { $or: [{ n: 5 }, { flag: true }] }, [1, 4]],
    ['$nor', { $nor: [{ n: 5 }, { flag: true }] }, [2, 3, 5, 6]],
    ['$not', { n: { $not: { $gt: 5 } } }, [1, 3, 6]],
    ['$expr', { $expr: { $gt: ['$o.b', '$o.a'] } }, [1, 2]],
    ['$expr with a missing field', { $expr: { $eq: [{ $type: '$flag' }, 'missing'] } }, [1, 2, 3, 5, 6]],
    ['empty', {}, [1, 2, 3, 4, 5, 6]],
  ];

  it.each(cases)('%s', async (_, filter, expected) => {
    const collection = used.db.collection('queries');
    if ((await collection.estimatedDocumentCount()) === 0) await collection.insertMany(docs);
    const found = await collection.find(filter).sort({ _id: 1 }).toArray();
    expect(found.map((doc) => doc._id)).toEqual(expected);
    expect(await collection.countDocuments(filter)).toBe(expected.length);
  });

  it.each<[string, Document, number]>([
    ['an unknown operator', { n: { $foo: 1 } }, 2],
    ['an unknown top level operator', { $foo: [] }, 2],
    ['an empty $or', { $or: [] }, 2],
    ['an $or that is not an array', { $or: {} }, 2],
    ['an $in that is not an array', { n: { $in: 5 } }, 2],
    ['a $size that is negative', { n: { $size: -1 } }, 2],
    ['an unknown type', { n: { $type: 'foo' } }, 2],
    ['operators in $in', { n: { $in: [{ $gt: 1 }] } }, 2],
    ['an unknown expression', { $expr: { $foo: 1 } }, 168],
    ['a broken pattern', { s: { $regex: '(' } }, 51091],
  ])('refuses %s', async (_, filter, code) => {
    const collection = used.db.collection('refusals');
    await collection.insertOne({ n: 1 });
    expect(await refusal(collection.find(filter).toArray())).toMatchObject({ code });
  });
});

describe('the order of values', () => {
  it('is by type, then by value', async () => {
    const collection = used.fresh();
    const ordered = [
      { _id: 1, v: null },
      { _id: 2, v: Number.NaN },
      { _id: 3, v: new Double(-1.5) },
      { _id: 4, v: new Int32(0) },
      { _id: 5, v: Long.fromString('9007199254740993') },
      { _id: 6, v: new Double(9007199254740994) },
      { _id: 7, v: '' },
      { _id: 8, v: 'Z' },
      { _id: 9, v: 'a' },
      { _id: 10, v: 'é' },
      { _id: 11, v: '\uffff' },
      { _id: 12, v: '😀' },
      { _id: 13, v: {} },
      { _id: 14, v: { a: 1 } },
      { _id: 15, v: { a: 2 } },
      { _id: 16, v: { a: 2, b: 1 } },
      { _id: 17, v: { b: 0 } },
      { _id: 19, v: id },
      { _id: 20, v: false },
      { _id: 21, v: true },
      { _id: 22, v: new Date(-5) },
      { _id: 23, v: day },
      { _id: 24, v: new BSONRegExp('a', '') },
    ];
    await collection.insertMany(ordered.toReversed() as Document[]);
    const ids = ordered.map((doc) => doc._id);
    const inMemory = await collection.find().sort({ v: 1 }).toArray();
    expect(inMemory.map((doc) => doc._id)).toEqual(ids);
    await collection.createIndex({ v: 1 });
    await collection.createIndex({ w: 1, v: -1 });
    const byIndex = await collection.find().sort({ v: 1 }).toArray();
    expect(byIndex.map((doc) => doc._id)).toEqual(ids);
    const descending = await collection.find({ w: null }).sort({ w: 1, v: -1 }).hint('w_1_v_-1').toArray();
    expect(descending.map((doc) => doc._id)).toEqual(ids.toReversed());
  });

  it('puts an array at its lowest element when ascending, at its highest when descending', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ _id: 1, v: [5, 1] }, { _id: 2, v: 3 }, { _id: 3, v: [] }, { _id: 4 }] as Document[]);
    const up = (await collection.find().sort({ v: 1 }).toArray()).map((doc) => doc._id);
    const down = (await collection.find().sort({ v: -1 }).toArray()).map((doc) => doc._id);
    expect(up).toEqual([3, 4, 1, 2]);
    expect(down).toEqual([1, 2, 4, 3]);
  });

  it('can mix directions across fields', async () => {
    const collection = used.fresh();
    await collection.insertMany([
      { _id: 1, a: 1, b: 1 },
      { _id: 2, a: 1, b: 2 },
      { _id: 3, a: 2, b: 1 },
    ] as Document[]);
    const found = await collection.find().sort({ a: 1, b: -1 }).toArray();
    expect(found.map((doc) => doc._id)).toEqual([2, 1, 3]);
  });
});
