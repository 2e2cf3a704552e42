import type { Document } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();

describe('a validator', () => {
  const schema = {
    bsonType: 'object',
    required: ['name', 'kind'],
    properties: {
      name: { bsonType: 'string', minLength: 2, maxLength: 5 },
      kind: { enum: ['a', 'b', null] },
      n: { bsonType: ['int', 'null'], minimum: 0, maximum: 10 },
      list: { bsonType: 'array', minItems: 1, maxItems: 2, items: { bsonType: 'objectId' } },
      o: { bsonType: 'object', required: ['x'], properties: { x: { bsonType: 'bool' } } },
    },
  };
  const good = { name: 'abc', kind: 'a' };

  async function validated() {
    const name = used.fresh().collectionName;
    return used.db.createCollection(name, { validator: { $jsonSchema: schema } });
  }

  it.each<Document>([good, { ...good, kind: null, n: 10, extra: 1 }, { ...good, n: null, o: { x: true } }])(
    'accepts %j',
    async (doc) => {
      await (await validated()).insertOne({ ...doc });
    },
  );

  it.each<[string, Document]>([
    ['a missing field', { name: 'abc' }],
    ['a wrong type', { ...good, name: 5 }],
    ['a text that is too short', { ...good, name: 'a' }],
    ['a text that is too long', { ...good, name: 'abcdef' }],
    ['a value that is not listed', { ...good, kind: 'c' }],
    ['a number that is too large', { ...good, n: 11 }],
    ['a double in place of an int', { ...good, n: 1.5 }],
    ['too few items', { ...good, list: [] }],
    ['a wrong item', { ...good, list: ['x'] }],
    ['a nested failure', { ...good, o: { x: 1 } }],
  ])('refuses %s', async (_, doc) => {
    const collection = await validated();
    const error = await refusal(collection.insertOne({ ...doc }));
    expect(error).toMatchObject({ code: 121, errmsg: 'Document failed validation' });
    expect(error.errInfo).toHaveProperty('details');
    expect(await collection.countDocuments()).toBe(0);
  });

  it('applies to updates, replacements and upserts', async () => {
    const collection = await validated();
    await collection.insertOne({ ...good });
    expect(await refusal(collection.updateOne({}, { $set: { n: 99 } }))).toMatchObject({ code: 121 });
    expect(await refusal(collection.replaceOne({}, { name: 'abc' }))).toMatchObject({ code: 121 });
    expect(await refusal(collection.findOneAndUpdate({}, { $unset: { kind: 1 } }))).toMatchObject({ code: 121 });
    expect(await refusal(collection.updateOne({ name: 'zz' }, { $set: { n: 1 } }, { upsert: true }))).toMatchObject({
      code: 121,
    });
    expect(await collection.find({}, { projection: { _id: 0 } }).toArray()).toEqual([good]);
    await collection.insertOne({ bad: 1 }, { bypassDocumentValidation: true });
  });

  it('is changed by collMod and shown by listCollections', async () => {
    const collection = await validated();
    await used.db.command({
      collMod: collection.collectionName,
      validator: { $jsonSchema: { required: ['z'] } },
      validationLevel: 'moderate',
    });
    expect(await refusal(collection.insertOne({ ...good }))).toMatchObject({ code: 121 });
    const [info] = await used.db.listCollections({ name: collection.collectionName }).toArray();
    expect(info).toMatchObject({
      type: 'collection',
      options: { validator: { $jsonSchema: { required: ['z'] } }, validationLevel: 'moderate' },
    });
  });

  it('with an unknown keyword is refused', async () => {
    const action = used.db.createCollection(used.fresh().collectionName, { validator: { $jsonSchema: { foo: 1 } } });
    expect(await refusal(action)).toMatchObject({ code: 9 });
  });

  it('at the moderate level lets invalid documents change', async () => {
    const collection = used.fresh();
    await collection.insertOne({ _id: 1 } as Document);
    await used.db.command({
      collMod: collection.collectionName,
      validator: { $jsonSchema: { required: ['z'] } },
      validationLevel: 'moderate',
    });
    await collection.updateOne({}, { $set: { a: 1 } });
    await used.db.command({ collMod: collection.collectionName, validationLevel: 'strict' });
    expect(await refusal(collection.updateOne({}, { $set: { a: 2 } }))).toMatchObject({ code: 121 });
  });
});
