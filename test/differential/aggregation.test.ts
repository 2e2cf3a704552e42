import type { Document } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();

const orders: Document[] = [
  { _id: 1, who: 'ann', n: 2, tags: ['a', 'b'], o: { x: 1 } },
  { _id: 2, who: 'bob', n: 5, tags: ['b'] },
  { _id: 3, who: 'ann', n: 4, tags: [] },
  { _id: 4, who: 'cyd', n: null },
];
const people: Document[] = [
  { _id: 'ann', age: 30 },
  { _id: 'bob', age: 40 },
];

async function collections() {
  const [main, other] = [used.fresh(), used.fresh()];
  await main.insertMany(orders);
  await other.insertMany(people);
  return { main, from: other.collectionName };
}

describe('a pipeline', () => {
  const cases: [string, (from: string) => Document[], Document[]][] = [
    [
      '$match, $sort, $skip, $limit',
      () => [{ $match: { n: { $gt: 1 } } }, { $sort: { n: -1 } }, { $skip: 1 }, { $limit: 1 }, { $project: { n: 1 } }],
      [{ _id: 3, n: 4 }],
    ],
    [
      '$limit before $skip',
      () => [{ $sort: { _id: 1 } }, { $limit: 2 }, { $skip: 1 }, { $project: { _id: 1 } }],
      [{ _id: 2 }],
    ],
    [
      '$match after $match',
      () => [{ $match: { who: 'ann' } }, { $match: { n: 4 } }, { $project: { _id: 1 } }],
      [{ _id: 3 }],
    ],
    ['$count', () => [{ $match: { who: 'ann' } }, { $count: 'total' }], [{ total: 2 }]],
    ['$count of nothing', () => [{ $match: { who: 'zed' } }, { $count: 'total' }], []],
    [
      '$group',
      () => [
        {
          $group: {
            _id: '$who',
            n: { $sum: 1 },
            sum: { $sum: '$n' },
            low: { $min: '$n' },
            high: { $max: '$n' },
          },
        },
        { $sort: { _id: 1 } },
      ],
      [
        { _id: 'ann', n: 2, sum: 6, low: 2, high: 4 },
        { _id: 'bob', n: 1, sum: 5, low: 5, high: 5 },
        { _id: 'cyd', n: 1, sum: 0, low: null, high: null },
      ],
    ],
    [
      '$group in order: $first, $last',
      () => [
        { $sort: { _id: 1 } },
        {
          $group: {
            _id: null,
            first: { $first: '$who' },
            last: { $last: '$who' },
          },
        },
      ],
      [{ _id: null, first: 'ann', last: 'cyd' }],
    ],
    [
      '$group by a document',
      () => [{ $match: { n: 5 } }, { $group: { _id: { who: '$who', big: { $gt: ['$n', 3] } } } }],
      [{ _id: { who: 'bob', big: true } }],
    ],
    [
      '$unionWith',
      (coll) => [
        { $match: { _id: 1 } },
        { $project: { _id: 1 } },
        { $unionWith: { coll, pipeline: [{ $match: { age: 40 } }] } },
      ],
      [{ _id: 1 }, { _id: 'bob', age: 40 }],
    ],
    [
      '$addFields and $unset',
      () => [{ $match: { _id: 1 } }, { $addFields: { 'o.y': '$n', tags: '$$REMOVE' } }, { $unset: ['who', 'n'] }],
      [{ _id: 1, o: { x: 1, y: 2 } }],
    ],
    [
      '$project that computes',
      () => [{ $match: { _id: 1 } }, { $project: { _id: 0, who: 1, double: { $add: ['$n', '$n'] }, 'a.b': '$o.x' } }],
      [{ who: 'ann', double: 4, a: { b: 1 } }],
    ],
  ];
  it.each(cases)('%s', async (_, pipeline, expected) => {
    const { main, from } = await collections();
    expect(await main.aggregate(pipeline(from)).toArray()).toEqual(expected);
  });

  it.each<[string, Document[], number]>([
    ['an unknown stage', [{ $foo: {} }], 40324],
    ['a stage of two fields', [{ $match: {}, $limit: 1 }], 40323],
    ['an unknown expression', [{ $project: { a: { $foo: 1 } } }], 168],
    ['an unknown accumulator', [{ $group: { _id: null, a: { $foo: 1 } } }], 15952],
    ['a $group without _id', [{ $group: { a: { $sum: 1 } } }], 15955],
    ['a $limit of zero', [{ $limit: 0 }], 15958],
    ['an undefined variable', [{ $project: { a: '$$nope' } }], 17276],
  ])('refuses %s', async (_, pipeline, code) => {
    const { main } = await collections();
    expect(await refusal(main.aggregate(pipeline).toArray())).toMatchObject({ code });
  });

  it('uses an index for its leading $match and $sort', async () => {
    const { main } = await collections();
    await main.createIndex({ who: 1, n: 1 });
    const plan = await main.aggregate([{ $match: { who: 'ann' } }, { $sort: { n: 1 } }]).explain('executionStats');
    expect(JSON.stringify(plan)).toContain('who_1_n_1');
  });
});

describe('an expression', () => {
  const at = new Date('2024-05-01T00:00:00Z');
  const cases: [unknown, unknown][] = [
    [{ $add: [1, 2.5] }, 3.5],
    [{ $add: ['$at', 1000] }, new Date(at.getTime() + 1000)],
    [{ $subtract: ['$at', '$at'] }, 0],
    [{ $add: [1, null] }, null],
    [{ $cond: [{ $gt: ['$n', 1] }, 'yes', 'no'] }, 'yes'],
    [
      {
        $cond: Object.fromEntries([
          ['if', '$missing'],
          ['then', 1],
          ['else', 2],
        ]),
      },
      2,
    ],
    [{ $ifNull: ['$missing', 'x'] }, 'x'],
    [{ $and: ['$n', true] }, true],
    [{ $or: [0, null] }, false],
    [{ $not: ['$n'] }, false],
    [{ $in: [2, '$list'] }, true],
    [{ $size: '$list' }, 3],
    [{ $arrayElemAt: ['$list', -1] }, 3],
    [{ $slice: ['$list', 2] }, [1, 2]],
    [{ $concatArrays: ['$list', [4]] }, [1, 2, 3, 4]],
    [{ $filter: { input: '$list', as: 'e', cond: { $gt: ['$$e', 1] } } }, [2, 3]],
    [{ $map: { input: '$list', as: 'e', in: { $add: ['$$e', 1] } } }, [2, 3, 4]],
    [{ $setUnion: ['$list', [3, 4]] }, [1, 2, 3, 4]],
    [{ $setDifference: ['$list', [1]] }, [2, 3]],
    [{ $setIntersection: ['$list', [1, 9]] }, [1]],
    [{ $max: ['$n', 9] }, 9],
    [{ $min: '$list' }, 1],
    [{ $type: '$missing' }, 'missing'],
    [{ $literal: '$n' }, '$n'],
    [{ $eq: ['$missing', null] }, false],
    [{ $lt: ['$missing', null] }, true],
    ['$docs.k', [1, 2]],
    ['$$ROOT.o.x', 1],
    [{ a: '$n', b: '$missing' }, { a: 2 }],
  ];
  it.each(cases)('%j', async (expression, expected) => {
    const collection = used.fresh();
    await collection.insertOne({ n: 2, s: 'Text', list: [1, 2, 3], o: { x: 1 }, docs: [{ k: 1 }, { k: 2 }, {}], at });
    const [result] = await collection.aggregate([{ $project: { _id: 0, v: expression } }]).toArray();
    expect(result?.v).toEqual(expected);
  });

  it.each<[Document, number]>([
    [{ $size: '$n' }, 17124],
    [{ $in: [1, '$n'] }, 40081],
    [{ $arrayElemAt: ['$n', 0] }, 28689],
    [{ $slice: ['$n', 1] }, 28724],
    [{ $slice: ['$n'] }, 28667],
    [{ $concatArrays: ['$n'] }, 28664],
    [{ $setUnion: ['$n'] }, 17043],
    [{ $filter: { input: '$n', cond: true } }, 28651],
    [{ $filter: { input: '$n' } }, 28650],
    [{ $map: { in: 1 } }, 16880],
    [{ $add: ['$n', 'x'] }, 14],
    [{ $subtract: ['$n', 'x'] }, 14],
    [{ $eq: ['$n'] }, 16020],
    [{ $ifNull: ['$n'] }, 1257300],
  ])('is refused as %j', async (expression, code) => {
    const collection = used.fresh();
    await collection.insertOne({ n: 2 });
    expect(await refusal(collection.aggregate([{ $project: { v: expression } }]).toArray())).toMatchObject({ code });
  });
});
