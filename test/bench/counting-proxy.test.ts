import { BSON, MongoClient } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CountingProxy, countingProxy } from '../support/counting-proxy.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { createSplitter, expectsReply, nameOf, readCommand } from '../support/op-msg.ts';

const OP_MSG = 2013;

/** A command as a driver writes it; documents of `sequence` go in a section of their own. */
function opMsg(body: object, { flags = 0, sequence }: { flags?: number; sequence?: object[] } = {}): Buffer {
  const sections = [Buffer.concat([Buffer.of(0), BSON.serialize(body)])];
  if (sequence) {
    const content = Buffer.concat([Buffer.from('documents\0'), ...sequence.map((one) => BSON.serialize(one))]);
    const length = Buffer.alloc(4);
    length.writeInt32LE(content.length + 4);
    sections.push(Buffer.concat([Buffer.of(1), length, content]));
  }
  const header = Buffer.alloc(20);
  const whole = Buffer.concat([header, ...sections]);
  whole.writeInt32LE(whole.length, 0);
  whole.writeInt32LE(7, 4);
  whole.writeInt32LE(OP_MSG, 12);
  whole.writeUInt32LE(flags, 16);
  return whole;
}

describe('reading the wire', () => {
  test('tells the name without the rest, and the documents of a section of their own', () => {
    const message = opMsg({ insert: 'messages', ordered: true }, { sequence: [{ seq: 1 }, { seq: 2 }] });
    expect(nameOf(message)).toBe('insert');
    expect(readCommand(message)).toMatchObject({
      name: 'insert',
      collection: 'messages',
      body: { ordered: true, documents: [{ seq: 1 }, { seq: 2 }] },
    });
  });

  test('knows the writes that nobody waits for', () => {
    expect(expectsReply(opMsg({ insert: 'messages' }))).toBe(true);
    expect(expectsReply(opMsg({ insert: 'messages' }, { flags: 2 }))).toBe(false);
  });

  test('finds messages however the stream is cut', () => {
    const stream = Buffer.concat([opMsg({ find: 'a' }), opMsg({ find: 'bb' }), opMsg({ count: 'c' })]);
    for (const size of [1, 3, 17, 64, stream.length]) {
      const split = createSplitter();
      const names: string[] = [];
      for (let at = 0; at < stream.length; at += size) names.push(...split(stream.subarray(at, at + size)).map(nameOf));
      expect(names).toEqual(['find', 'find', 'count']);
    }
  });
});

describe('the counting proxy', () => {
  let database: TestDatabase;
  let proxy: CountingProxy;
  let client: MongoClient;

  beforeAll(async () => {
    database = await startDatabase();
    proxy = await countingProxy(database.url);
    client = await new MongoClient(proxy.url, { monitorCommands: true }).connect();
  });
  beforeEach(() => proxy.reset());
  afterAll(async () => {
    await client.close();
    await proxy.close();
    await database.stop();
  });

  test('records each command of a driver once, with what it carried, its bytes and its time', async () => {
    const things = client.db().collection<{ _id: number; name: string }>('counted_things');
    await things.insertMany([
      { _id: 1, name: 'one' },
      { _id: 2, name: 'two' },
    ]);
    await things.updateOne({ _id: 1 }, { $set: { name: 'uno' } });
    expect(await things.find({ name: 'uno' }).toArray()).toHaveLength(1);
    const commands = proxy.commands();
    expect(commands.map(({ name, collection }) => [name, collection])).toEqual([
      ['insert', 'counted_things'],
      ['update', 'counted_things'],
      ['find', 'counted_things'],
    ]);
    expect(commands[0]!.body.documents).toHaveLength(2);
    expect(commands[1]!.body.updates[0].q).toEqual({ _id: 1 });
    for (const { requestBytes, replyBytes, ms } of commands) {
      expect(requestBytes).toBeGreaterThan(50);
      expect(replyBytes).toBeGreaterThan(30);
      expect(ms).toBeGreaterThan(0);
    }
  });

  test('counts as many as the driver itself says, also side by side, and leaves pings out', async () => {
    let started = 0;
    client.on('commandStarted', ({ commandName }) => {
      if (commandName !== 'ping') started++;
    });
    const things = client.db().collection('counted_things');
    await Promise.all(Array.from({ length: 40 }, (_, i) => things.findOne({ name: `no. ${i}` })));
    await client.db().command({ ping: 1 });
    expect(started).toBe(40);
    expect(proxy.commands()).toHaveLength(40);
    proxy.reset();
    expect(proxy.commands()).toEqual([]);
  });

  test('records the further batches of a cursor, and writes that nobody waits for', async () => {
    const many = client.db().collection('counted_many');
    await many.insertMany(Array.from({ length: 30 }, (_, i) => ({ i })));
    proxy.reset();
    await many.find({}, { batchSize: 10 }).toArray();
    await many.insertOne({ i: 31 }, { writeConcern: { w: 0 } });
    // Whatever is answered later was read later.
    await expect.poll(() => many.countDocuments({ i: 31 })).toBe(1);
    const names = proxy.commands().map(({ name }) => name);
    expect(names.filter((name) => name === 'getMore').length).toBeGreaterThanOrEqual(2);
    expect(proxy.commands().find(({ name }) => name === 'insert')!.ms).toBeUndefined();
  });

  test('refuses what it could not read', async () => {
    await expect(countingProxy('mongodb://127.0.0.1/?tls=true')).rejects.toThrow('TLS');
    await expect(countingProxy('mongodb+srv://example.org/')).rejects.toThrow('one host');
  });
});
