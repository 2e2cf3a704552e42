import type { Document } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from '../differential/harness.ts';

const used = useDatabase();

/** Not in `test/differential`: MongoDB accepts all of this. The embedded database must refuse it, never ignore it. */
describe.skipIf(process.env.MONGODB_URL)('what MongoDB has and this database leaves out is refused', () => {
  const refused = async (action: () => Promise<unknown>, code: number) => {
    await used.db.collection('docs').insertOne({ n: 1, list: [1] });
    expect(await refusal(action())).toMatchObject({ code });
  };

  it.each<[string, Document, number]>([
    ['a query operator', { n: { $mod: [4, 0] } }, 2],
    ['a top level query operator', { $where: 'true' }, 2],
    ['an expression', { $expr: { $concat: ['a', 'b'] } }, 168],
  ])('%s', async (_, filter, code) => {
    await refused(() => used.db.collection('docs').find(filter).toArray(), code);
  });

  it.each<[string, Document, number]>([
    ['a projection by $elemMatch', { list: { $elemMatch: { $gt: 0 } } }, 168],
    ['a positional projection', { 'list.$': 1 }, 16410],
    ['a projection by $slice', { list: { $slice: 1 } }, 28667],
    ['a projection by $slice with skip', { list: { $slice: [1, 1] } }, 28724],
  ])('%s', async (_, projection, code) => {
    await refused(() => used.db.collection('docs').find({ list: 1 }, { projection }).toArray(), code);
  });

  it.each<[string, Document, number]>([
    ['an update operator', { $currentDate: { at: true } }, 9],
    ['a path to all elements of an array', { $set: { 'list.$[]': 2 } }, 52],
  ])('%s', async (_, update, code) => {
    await refused(() => used.db.collection('docs').updateOne({}, update), code);
  });

  it('array filters', async () => {
    const arrayFilters = [{ e: 1 }];
    await refused(
      () => used.db.collection('docs').updateOne({}, { $set: { 'list.$[e]': 2 } }, { arrayFilters }),
      40415,
    );
  });

  it.each<[string, Document, number]>([
    ['a stage', { $facet: { all: [] } }, 40324],
    ['a join', { $lookup: { from: 'docs', localField: 'n', foreignField: 'n', as: 'same' } }, 40324],
    ['an accumulator', { $group: { _id: null, n: { $avg: '$n' } } }, 15952],
  ])('%s', async (_, stage, code) => {
    await refused(() => used.db.collection('docs').aggregate([stage]).toArray(), code);
  });

  it.each<[string, Document, number]>([
    ['a keyword of a validator', { $jsonSchema: { properties: { a: { pattern: '^a' } } } }, 9],
  ])('%s', async (_, validator, code) => {
    await refused(() => used.db.createCollection(used.fresh().collectionName, { validator }), code);
  });

  it('a collation, variables of a command, and a transaction', async () => {
    const docs = () => used.db.collection('docs');
    await refused(
      () =>
        docs()
          .find({}, { collation: { locale: 'de' } })
          .toArray(),
      40415,
    );
    await refused(
      () =>
        docs()
          .find({}, { let: { a: 1 } })
          .toArray(),
      40415,
    );
    await refused(() => used.db.command({ commitTransaction: 1 }), 59);
  });
});
