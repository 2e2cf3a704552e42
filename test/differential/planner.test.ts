import fc from 'fast-check';
import type { Collection, Document, Sort } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { stages, useDatabase } from './harness.ts';

const used = useDatabase();

async function explained(collection: Collection<Document>, filter: Document, sort?: Sort, limit = 0) {
  const cursor = collection.find(filter).limit(limit);
  const plan = await (sort === undefined ? cursor : cursor.sort(sort)).explain('executionStats');
  return {
    stages: stages(plan.queryPlanner.winningPlan),
    keys: plan.executionStats.totalKeysExamined,
    docs: plan.executionStats.totalDocsExamined,
  };
}

describe('the planner', () => {
  it('reads a page of a long history by the index alone', async () => {
    const collection = used.fresh();
    await collection.createIndex({ conversation: 1, seq: 1 }, { unique: true });
    await collection.insertMany(Array.from({ length: 3000 }, (_, n) => ({ conversation: n % 3, seq: n })));
    const filter = { conversation: 1, seq: { $lt: 2500 } };
    const plan = await explained(collection, filter, { seq: -1 }, 50);
    expect(plan.stages).toContain('IXSCAN');
    expect(plan.stages).not.toContain('SORT');
    expect(plan.keys).toBeLessThanOrEqual(51);
    expect(plan.docs).toBeLessThanOrEqual(50);
    const page = await collection.find(filter).sort({ seq: -1 }).limit(50).toArray();
    expect(page.map((doc) => doc.seq)).toEqual(Array.from({ length: 50 }, (_, n) => 2497 - 3 * n));
  });

  it('merges the scans of several values in the requested order', async () => {
    const collection = used.fresh();
    await collection.createIndex({ a: 1, n: -1 });
    await collection.insertMany(Array.from({ length: 1000 }, (_, n) => ({ a: `key${n % 10}`, n })));
    const filter = { a: { $in: ['key1', 'key3', 'key7'] } };
    const plan = await explained(collection, filter, { n: -1 }, 5);
    expect(plan.stages).not.toContain('SORT');
    expect(plan.keys).toBeLessThanOrEqual(20);
    const found = await collection.find(filter).sort({ n: -1 }).limit(5).toArray();
    expect(found.map((doc) => doc.n)).toEqual([997, 993, 991, 987, 983]);
    const reversed = await collection.find(filter).sort({ n: 1 }).limit(4).toArray();
    expect(reversed.map((doc) => doc.n)).toEqual([1, 3, 7, 11]);
  });

  it.each<[string, Document, Sort | undefined, string]>([
    ['equality', { a: 1 }, undefined, 'IXSCAN'],
    ['a prefix of a compound index', { b: 1 }, undefined, 'IXSCAN'],
    ['equality and range', { b: 1, c: { $gt: 2 } }, undefined, 'IXSCAN'],
    ['a case-sensitive prefix', { s: /^ab/ }, undefined, 'IXSCAN'],
    ['a prefix beyond the basic plane', { s: /^😀/u }, undefined, 'IXSCAN'],
    ['an element of an array', { 'list.x': 1 }, undefined, 'IXSCAN'],
    ['an $or with an index for each alternative', { $or: [{ a: 1 }, { s: 'x' }] }, undefined, 'IXSCAN'],
    ['an order alone', {}, { a: -1 }, 'IXSCAN'],
    ['the _id', { _id: { $gt: 1 } }, undefined, 'IXSCAN'],
    ['what implies the filter of a partial index', { p: 'x', live: true }, undefined, 'IXSCAN'],
    ['what does not imply the filter of a partial index', { p: 'x' }, undefined, 'COLLSCAN'],
    ['a field without index', { z: 1 }, undefined, 'COLLSCAN'],
    ['an $or with an alternative that has no index', { $or: [{ a: 1 }, { z: 'x' }] }, undefined, 'COLLSCAN'],
    ['a field that is not first', { c: 1 }, undefined, 'COLLSCAN'],
  ])('uses the right scan for %s', async (_, filter, sort, stage) => {
    const collection = used.db.collection('planned');
    if ((await collection.estimatedDocumentCount()) === 0) {
      await collection.createIndexes([
        { key: { a: 1 } },
        { key: { b: 1, c: -1 } },
        { key: { s: 1 } },
        { key: { 'list.x': 1 } },
        { key: { p: 1 }, partialFilterExpression: { live: true } },
      ]);
      await collection.insertOne({ a: 1 });
    }
    expect((await explained(collection, filter, sort)).stages).toContain(stage);
  });

  it('uses the bounds when matches are rare, and the order when they are common', async () => {
    const collection = used.fresh();
    await collection.createIndexes([{ key: { conversation: 1, seq: 1 } }, { key: { conversation: 1, terms: 1 } }]);
    await collection.insertMany(
      Array.from({ length: 3000 }, (_, seq) => ({
        conversation: 1,
        seq,
        terms: ['common', seq % 1000 === 7 ? 'rare' : 'x'],
      })),
    );
    const rare = { conversation: 1, terms: /^rar/ };
    const common = { conversation: 1, terms: 'common' };
    expect((await explained(collection, rare, { seq: -1 }, 20)).docs).toBeLessThan(50);
    expect((await explained(collection, common, { seq: -1 }, 20)).docs).toBeLessThan(50);
    const found = await collection.find(rare).sort({ seq: -1 }).limit(20).toArray();
    expect(found.map((doc) => doc.seq)).toEqual([2007, 1007, 7]);
  });

  it('looks at each alternative of an $or for itself, where others of the same shape may use a partial index', async () => {
    const collection = used.fresh();
    await collection.createIndexes([
      { key: { kind: 1, at: 1 } },
      { key: { kind: 1, size: 1 }, partialFilterExpression: { size: { $gt: 5 } } },
    ]);
    await collection.insertMany(Array.from({ length: 200 }, (_, n) => ({ kind: n % 2, size: n % 10, at: n, n })));
    const alternatives = [
      { kind: 0, size: { $gt: 7 } },
      { kind: 1, size: { $gt: 1 } },
      { kind: 0, size: { $gt: 3 } },
    ];
    const found = await collection.find({ $or: alternatives }).toArray();
    const expected = Array.from({ length: 200 }, (_, n) => n).filter((n) => n % 10 > (n % 2 === 0 ? 3 : 1));
    expect(found.map(({ n }) => n).sort((a, b) => a - b)).toEqual(expected);
    const plan = await explained(collection, { $or: alternatives.slice(0, 2) });
    expect(plan.stages.filter((stage) => stage === 'IXSCAN')).toHaveLength(2);
  });

  it('examines only entries that match', async () => {
    const collection = used.fresh();
    await collection.createIndex({ b: 1, c: 1 });
    await collection.insertMany(Array.from({ length: 200 }, (_, n) => ({ b: n % 2, c: n })));
    expect(await explained(collection, { b: 1, c: { $gte: 10, $lt: 20 } })).toMatchObject({ keys: 5, docs: 5 });
  });
});

const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom(-1.5, 0.5, 2 ** 40, Number.NaN),
  fc.constantFrom('', 'a', 'ab', 'a\0b', 'b', 'é', '😀', '\uffff'),
  fc.constantFrom(null, true, false, new Date(0), new Date(5)),
);
const value = fc.oneof(
  { weight: 6, arbitrary: scalar },
  { weight: 1, arbitrary: fc.array(scalar, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.record({ x: scalar }) },
);
const doc = fc.record({ a: value, b: scalar, c: scalar }, { requiredKeys: [] });
const operator: fc.Arbitrary<Document> = fc.oneof(
  fc.constantFrom('$eq', '$gt', '$gte', '$lt', '$lte', '$ne').chain((op) => scalar.map((v) => ({ [op]: v }))),
  fc.array(scalar, { maxLength: 3 }).map((values) => ({ $in: values })),
  fc.tuple(scalar, scalar).map(([low, high]) => ({ $gte: low, $lt: high })),
  fc.boolean().map((exists) => ({ $exists: exists })),
  fc.constantFrom('^a', '^', 'b').map((pattern) => ({ $regex: pattern })),
);
const fields: fc.Arbitrary<Document> = fc.record(
  { a: operator, b: operator, c: operator, 'a.x': operator },
  { requiredKeys: [] },
);
const filter: fc.Arbitrary<Document> = fc.oneof(
  fields,
  fc.tuple(fields, fc.array(fields, { minLength: 1, maxLength: 3 })).map(([all, any]) => ({ ...all, $or: any })),
);
const sort = fc.option(
  fc
    .record({ a: fc.constantFrom(1, -1), c: fc.constantFrom(1, -1) }, { requiredKeys: [] })
    .filter((s) => Object.keys(s).length > 0),
  { nil: undefined },
);

const indexSets: Document[][] = [
  [{ a: 1 }],
  [{ a: 1, b: -1, c: 1 }],
  [{ c: -1, a: 1 }, { b: 1 }],
  [
    { 'a.x': 1, c: 1 },
    { a: -1, c: -1 },
  ],
];

describe('for any query', () => {
  it('an index scan and a collection scan find the same documents in the same order', async () => {
    const collections = await Promise.all(
      indexSets.map(async (keys) => {
        const collection = used.fresh();
        await collection.createIndexes(keys.map((key) => ({ key: key as { a: 1 } })));
        return collection;
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(doc, { maxLength: 12 }),
        fc.array(fc.tuple(filter, sort), { minLength: 6, maxLength: 6 }),
        async (docs, queries) => {
          const stored = docs.map((each, _id) => ({ ...each, _id })) as Document[];
          await Promise.all(
            collections.map(async (collection) => {
              await collection.deleteMany({});
              if (stored.length > 0) await collection.insertMany(stored.map((each) => ({ ...each })));
              for (const [query, order] of queries) {
                const run = async (natural: boolean) => {
                  const cursor = collection.find(query);
                  if (natural) cursor.hint({ $natural: 1 });
                  if (order !== undefined) cursor.sort({ ...order } as Sort);
                  return cursor.toArray();
                };
                const [byIndex, byScan] = [await run(false), await run(true)];
                expect(new Set(byIndex.map((each) => each._id))).toEqual(new Set(byScan.map((each) => each._id)));
                expect(byIndex).toHaveLength(byScan.length);
                expect(await collection.countDocuments(query)).toBe(byScan.length);
                if (order !== undefined) {
                  const keysOf = (found: Document[]) =>
                    found.map((each) =>
                      Object.keys(order).map((name) => sortable(each[name], order[name as 'a'] ?? 1)),
                    );
                  expect(keysOf(byIndex)).toEqual(keysOf(byScan));
                }
              }
            }),
          );
        },
      ),
      { numRuns: 40 },
    );
  });
});

/** Equal for values that sort alike. Arrays sort by one of their elements. */
function sortable(value: unknown, direction: number): unknown {
  return Array.isArray(value) ? ['array', direction, value.length === 0] : (value ?? null);
}
