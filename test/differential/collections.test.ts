import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Document } from 'mongodb';
import { GridFSBucket, Long } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { refusal, useDatabase } from './harness.ts';

const used = useDatabase();

describe('a cursor', () => {
  it('returns everything in batches, in order', async () => {
    const collection = used.fresh();
    await collection.insertMany(Array.from({ length: 2500 }, (_, n) => ({ n })));
    const found = await collection.find().sort({ n: 1 }).batchSize(100).toArray();
    expect(found.map(({ n }) => n)).toEqual(Array.from({ length: 2500 }, (_, n) => n));
  });

  it('can be continued on another connection until it is exhausted', async () => {
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

  it('with singleBatch does not stay open', async () => {
    const collection = used.fresh();
    await collection.insertMany([{ n: 1 }, { n: 2 }]);
    const { cursor } = await used.db.command({ find: collection.collectionName, limit: 1, singleBatch: true });
    expect(Number(cursor.id)).toBe(0);
    expect(cursor.firstBatch).toHaveLength(1);
  });

  it('returns each document once while documents change', async () => {
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
  it('are created by their first document, listed and dropped', async () => {
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

  it('cannot be created twice with different options', async () => {
    const name = used.fresh().collectionName;
    await used.db.createCollection(name);
    const action = used.db.createCollection(name, { validator: { $jsonSchema: { required: ['z'] } } });
    expect(await refusal(action)).toMatchObject({ code: 48 });
  });

  it('that do not exist cannot be modified', async () => {
    expect(await refusal(used.db.command({ collMod: 'nothing', validator: {} }))).toMatchObject({ code: 26 });
  });

  it('of different databases are separate', async () => {
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

  it('answers ping and reports its version', async () => {
    expect(await used.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
    expect((await used.db.admin().buildInfo()).version).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('accepts documents just below 16 MiB and refuses larger ones', async () => {
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
