import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Document } from 'mongodb';
import { GridFSBucket, Long } from 'mongodb';
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
    'lets %j in',
    async (doc) => {
      await (await validated()).insertOne({ ...doc });
    },
  );

  it.each<[string, Document]>([
    ['a missing field', { name: 'abc' }],
    ['a wrong type', { ...good, name: 5 }],
    ['too short a text', { ...good, name: 'a' }],
    ['too long a text', { ...good, name: 'abcdef' }],
    ['a value that is not listed', { ...good, kind: 'c' }],
    ['too large a number', { ...good, n: 11 }],
    ['a double for an int', { ...good, n: 1.5 }],
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

  it('holds for updates, replacements and upserts', async () => {
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

  it('changes by collMod, and shows in the list of collections', async () => {
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

  it('of moderate level leaves invalid documents changeable', async () => {
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

describe('a cursor', () => {
  it('brings everything in batches, in order', async () => {
    const collection = used.fresh();
    await collection.insertMany(Array.from({ length: 2500 }, (_, n) => ({ n })));
    const found = await collection.find().sort({ n: 1 }).batchSize(100).toArray();
    expect(found.map(({ n }) => n)).toEqual(Array.from({ length: 2500 }, (_, n) => n));
  });

  it('may be continued from another connection, and ends', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
    const { cursor } = await used.db.command({ find: collection.collectionName, batchSize: 1 });
    const id = Long.fromValue(cursor.id);
    const more = () => used.db.command({ getMore: id, collection: collection.collectionName, batchSize: 2 });
    const results = await more();
    expect(results.cursor.nextBatch.map((doc: Document) => doc.n)).toEqual([2, 3]);
    const last = Number(results.cursor.id) === 0 ? results : await more();
    expect(Number(last.cursor.id)).toBe(0);
    expect(await refusal(more())).toMatchObject({ code: 43 });
  });

  it('can be closed', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ n: 1 }, { n: 2 }]);
    const { cursor } = await used.db.command({ find: collection.collectionName, batchSize: 1 });
    const id = Long.fromValue(cursor.id);
    const killed = await used.db.command({
      killCursors: collection.collectionName,
      cursors: [id, Long.fromNumber(77)],
    });
    expect(killed.cursorsKilled.map(String)).toEqual([String(id)]);
    expect(killed.cursorsNotFound.map(String)).toEqual(['77']);
  });

  it('of one batch is not left open', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ n: 1 }, { n: 2 }]);
    const { cursor } = await used.db.command({ find: collection.collectionName, limit: 1, singleBatch: true });
    expect(Number(cursor.id)).toBe(0);
    expect(cursor.firstBatch).toHaveLength(1);
  });

  it('sees each document once while others are inserted and changed', async () => {
    const collection = used.fresh();
    await collection.insertMany(Array.from({ length: 500 }, (_, n) => ({ _id: n, n })) as Document[]);
    const seen: unknown[] = [];
    for await (const doc of collection.find().sort({ _id: 1 }).batchSize(50)) {
      seen.push(doc._id);
      if (seen.length % 100 === 0) await collection.updateMany({}, { $inc: { n: 1 } });
    }
    expect(seen).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });
});

describe('collections', () => {
  it('come into being by their first document and can be listed and dropped', async () => {
    const collection = used.fresh();
    await collection.insertOne({});
    expect(await used.db.listCollections({ name: collection.collectionName }, { nameOnly: true }).toArray()).toEqual([
      { name: collection.collectionName, type: 'collection' },
    ]);
    await collection.drop();
    expect(await used.db.listCollections({ name: collection.collectionName }).toArray()).toEqual([]);
    await collection.insertOne({ again: true });
    expect(await collection.countDocuments()).toBe(1);
  });

  it('are not created twice with different options', async () => {
    const name = used.fresh().collectionName;
    await used.db.createCollection(name);
    const action = used.db.createCollection(name, { validator: { $jsonSchema: { required: ['z'] } } });
    expect(await refusal(action)).toMatchObject({ code: 48 });
  });

  it('that do not exist cannot be modified', async () => {
    expect(await refusal(used.db.command({ collMod: 'nothing', validator: {} }))).toMatchObject({ code: 26 });
  });

  it('of other databases stay apart', async () => {
    const name = used.fresh().collectionName;
    const other = used.client.db(`${used.db.databaseName}_b`);
    await other.collection(name).insertOne({ n: 1 });
    expect(await used.db.collection(name).countDocuments()).toBe(0);
    const { databases } = await used.client.db('admin').admin().listDatabases({ nameOnly: true });
    expect(databases.map((each) => each.name)).toContain(other.databaseName);
    await other.dropDatabase();
    expect(await other.listCollections().toArray()).toEqual([]);
  });
});

describe('the server', () => {
  it('refuses unknown commands and options', async () => {
    expect(await refusal(used.db.command({ foo: 1 }))).toMatchObject({ code: 59, codeName: 'CommandNotFound' });
    expect(await refusal(used.db.command({ find: 'x', foo: 1 }))).toMatchObject({ code: 40415 });
    expect(await refusal(used.db.command({ find: '' }))).toMatchObject({ code: 73 });
  });

  it('answers ping and tells its version', async () => {
    expect(await used.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
    expect((await used.db.admin().buildInfo()).version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('refuses documents above 16 MiB and takes those just below', async () => {
    const collection = used.fresh();
    await collection.insertOne({ b: Buffer.alloc(16 * 1024 * 1024 - 100) });
    await collection.updateOne({}, { $set: { b: 1, c: Buffer.alloc(16 * 1024 * 1024 - 100) } });
    expect((await refusal(collection.updateOne({}, { $set: { d: Buffer.alloc(1000) } }))).message).toMatch(/size/i);
  });

  it('stores files by GridFS and streams them back', async () => {
    const bucket = new GridFSBucket(used.db);
    const content = randomBytes(5_000_000);
    const upload = bucket.openUploadStream('file.bin', { metadata: { owner: 'x' } });
    upload.end(content);
    await once(upload, 'finish');
    const hash = createHash('sha256');
    for await (const chunk of bucket.openDownloadStream(upload.id)) hash.update(chunk);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(content).digest('hex'));
    const part = [];
    for await (const chunk of bucket.openDownloadStream(upload.id, { start: 300_000, end: 300_010 })) part.push(chunk);
    expect(Buffer.concat(part)).toEqual(content.subarray(300_000, 300_010));
    await bucket.delete(upload.id);
    expect(await used.db.collection('fs.chunks').countDocuments()).toBe(0);
  });
});
