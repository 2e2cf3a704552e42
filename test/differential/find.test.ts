import {
  Binary,
  Code,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();

describe('find', () => {
  it('skips and limits in the requested order', async () => {
    const collection = used.fresh();
    await collection.insertMany(Array.from({ length: 10 }, (_, n) => ({ _id: n, n: 9 - n })) as Document[]);
    const found = await collection.find().sort({ n: 1 }).skip(2).limit(3).toArray();
    expect(found.map((doc) => doc.n)).toEqual([2, 3, 4]);
  });

  it('returns nothing from a collection that does not exist', async () => {
    expect(await used.fresh().find({ a: 1 }).toArray()).toEqual([]);
    expect(await used.fresh().countDocuments()).toBe(0);
    expect(await used.fresh().distinct('a')).toEqual([]);
  });

  it.each<[string, Document, Document]>([
    ['inclusion', { a: 1 }, { _id: 1, a: 1 }],
    ['inclusion without _id', { a: 1, _id: 0 }, { a: 1 }],
    ['exclusion', { a: 0, list: 0, items: 0 }, { _id: 1, o: { x: 1, y: 2 } }],
    ['nested inclusion', { 'o.x': 1 }, { _id: 1, o: { x: 1 } }],
    ['nested inclusion as a document', { o: { y: 1 } }, { _id: 1, o: { y: 2 } }],
    ['nested exclusion in arrays', { 'items.k': 0, a: 0, o: 0, list: 0 }, { _id: 1, items: [{ v: 1 }, { v: 2 }] }],
    ['nested inclusion in arrays', { 'items.v': 1 }, { _id: 1, items: [{ v: 1 }, { v: 2 }] }],
    ['_id only', { _id: 1 }, { _id: 1 }],
    ['expression', { _id: 0, sum: { $add: ['$o.x', '$o.y'] } }, { sum: 3 }],
    ['field path', { _id: 0, b: '$a' }, { b: 1 }],
  ])('projects by %s', async (_, projection, expected) => {
    const collection = used.fresh();
    const doc = {
      _id: 1,
      a: 1,
      o: { x: 1, y: 2 },
      list: [1, 2, 3],
      items: [
        { k: 1, v: 1 },
        { k: 2, v: 2 },
      ],
    };
    await collection.insertOne(doc as Document);
    expect(await collection.findOne({}, { projection })).toEqual(expected);
  });

  it('takes out and leaves out each field among fields of all types', async () => {
    const collection = used.fresh();
    await collection.insertOne({
      _id: 1,
      double: new Double(1.5),
      text: 'aé',
      doc: { a: { b: 1 } },
      list: [1, [2]],
      binary: new Binary(Buffer.of(0, 1, 2), 128),
      id: new ObjectId(),
      yes: true,
      at: new Date(0),
      nothing: null,
      regex: /a/i,
      code: new Code('f'),
      scoped: new Code('f', { x: 1 }),
      int: new Int32(0),
      stamp: new Timestamp({ t: 1, i: 2 }),
      long: Long.fromString('9007199254740993'),
      decimal: Decimal128.fromString('1.10'),
      min: new MinKey(),
      max: new MaxKey(),
      intent: 'begins like int',
      '': 'no name',
    } as Document);
    const whole = (await collection.findOne({}))!;
    for (const name of Object.keys(whole).filter((each) => each !== '' && each !== '_id')) {
      const { [name]: value, ...others } = whole;
      expect(await collection.findOne({}, { projection: { _id: 0, [name]: 1 } })).toEqual({ [name]: value });
      const without = await collection.findOne({}, { projection: { [name]: 0 } });
      expect(without).toEqual(others);
      expect(Object.keys(without!)).toEqual(Object.keys(others));
    }
  });

  it('keeps the order of the fields of the document', async () => {
    const collection = used.fresh();
    await collection.insertOne({ b: 1, a: 2, c: 3 });
    const found = await collection.findOne({}, { projection: { c: 1, a: 1 } });
    expect(Object.keys(found ?? {})).toEqual(['_id', 'a', 'c']);
  });

  it('refuses to mix inclusion and exclusion', async () => {
    const collection = used.fresh();
    await collection.insertOne({ a: 1 });
    expect(await refusal(collection.findOne({}, { projection: { a: 1, b: 0 } }))).toMatchObject({ code: 31254 });
    expect(await refusal(collection.findOne({}, { projection: { a: 0, b: 1 } }))).toMatchObject({ code: 31253 });
  });

  it('returns distinct values, and for arrays their elements', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ t: ['b', 'a'] }, { t: 'c' }, { t: ['a'] }, {}]);
    expect(await collection.distinct('t')).toEqual(['a', 'b', 'c']);
    expect(await collection.distinct('t', { t: 'c' })).toEqual(['c']);
  });
});
