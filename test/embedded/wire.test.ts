import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BSON, Long, MongoClient, MongoNetworkError } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DatabaseProcess } from '../differential/harness.ts';
import { startDatabase, stop } from '../differential/harness.ts';

let folder: string;
let database: DatabaseProcess;
let client: MongoClient;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsapp-wire-'));
  database = await startDatabase(folder);
  client = await new MongoClient(database.url).connect();
});
afterAll(async () => {
  await client.close();
  await stop(database.child);
  await rm(folder, { recursive: true, force: true });
});

function port(): number {
  return Number(new URL(database.url).port);
}

function message(opCode: number, content: Buffer, length = content.length + 16): Buffer {
  const header = Buffer.alloc(16);
  header.writeInt32LE(length, 0);
  header.writeInt32LE(7, 4);
  header.writeInt32LE(opCode, 12);
  return Buffer.concat([header, content]);
}

function command(body: BSON.Document): Buffer {
  return Buffer.concat([Buffer.alloc(5), BSON.serialize(body)]);
}

async function received(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('a malformed message closes its connection and no other', () => {
  const ping = command({ ping: 1, $db: 'x' });
  it.each<[string, Buffer]>([
    ['a length that is too small', message(2013, ping, 3)],
    ['a length that is too large', message(2013, ping, 50_000_000)],
    ['an unknown operation', message(2004 + 5, ping)],
    ['random bytes', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    [
      'a section longer than its message',
      message(2013, Buffer.concat([Buffer.alloc(5), Buffer.from([255, 0, 0, 0, 0])])),
    ],
    ['broken BSON', message(2013, Buffer.concat([Buffer.alloc(5), Buffer.from([9, 0, 0, 0, 99, 97, 0, 1, 0])]))],
    [
      'an unknown kind of section',
      message(2013, Buffer.concat([Buffer.from([0, 0, 0, 0, 9]), BSON.serialize({ ping: 1 })])),
    ],
    [
      'unknown required flags',
      message(2013, Buffer.concat([Buffer.from([4, 0, 0, 0, 0]), BSON.serialize({ ping: 1 })])),
    ],
  ])('%s', async (_, bytes) => {
    const socket = connect(port(), '127.0.0.1');
    socket.write(bytes);
    await received(socket);
    expect(await client.db().command({ ping: 1 })).toMatchObject({ ok: 1 });
  });
});

describe('a message', () => {
  it('can arrive in pieces and together with others; answers keep the order', async () => {
    const socket = connect(port(), '127.0.0.1');
    const one = message(2013, command({ ping: 1, $db: 'x' }));
    const two = message(2013, command({ buildInfo: 1, $db: 'x' }));
    const bytes = Buffer.concat([one, two, one]);
    for (const byte of bytes.subarray(0, 20)) socket.write(Buffer.of(byte));
    socket.write(bytes.subarray(20));
    const replies: BSON.Document[] = [];
    let rest = Buffer.alloc(0);
    for await (const chunk of socket) {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
        expect(rest.readInt32LE(8)).toBe(7);
        replies.push(BSON.deserialize(rest.subarray(21, rest.readInt32LE(0))));
        rest = rest.subarray(rest.readInt32LE(0));
      }
      if (replies.length === 3) break;
    }
    expect(replies.map((reply) => 'version' in reply)).toEqual([false, true, false]);
  });

  it('in the legacy format is accepted for the greeting', async () => {
    const socket = connect(port(), '127.0.0.1');
    const query = Buffer.concat([
      Buffer.alloc(4),
      Buffer.from('admin.$cmd\0'),
      Buffer.from([0, 0, 0, 0, 255, 255, 255, 255]),
      BSON.serialize({ isMaster: 1, helloOk: true }),
    ]);
    socket.write(message(2004, query));
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply.readInt32LE(12)).toBe(1);
    expect(BSON.deserialize(reply.subarray(36))).toMatchObject({ ismaster: true, helloOk: true, ok: 1 });
    socket.destroy();
  });

  it('with transaction numbers is refused, as by a standalone server', async () => {
    const start = { find: 't', txnNumber: Long.fromNumber(1), startTransaction: true, autocommit: false };
    await expect(client.db().command(start)).rejects.toMatchObject({ code: 20, codeName: 'IllegalOperation' });
  });
});

describe('a connection lost during a write', () => {
  /** A proxy that breaks the connection at an `insert`: before it passes it on, or when the answer comes. */
  async function breaking(when: 'before' | 'after') {
    const server = createServer((socket) => {
      const upstream = connect(port(), '127.0.0.1');
      let isWrite = false;
      const end = () => {
        socket.destroy();
        upstream.destroy();
      };
      for (const each of [socket, upstream]) each.on('error', end).on('close', end);
      socket.on('data', (chunk) => {
        if (chunk.includes('insert\0')) {
          isWrite = true;
          if (when === 'before') return end();
        }
        upstream.write(chunk);
      });
      upstream.on('data', (chunk) => (isWrite ? end() : socket.write(chunk)));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return server;
  }

  it.each([
    ['before', 0],
    ['after', 1],
  ] as const)('%s it was applied is reported, and the write is not repeated', async (when, count) => {
    const server = await breaking(when);
    const { port: proxyPort } = server.address() as { port: number };
    const through = new MongoClient(`mongodb://127.0.0.1:${proxyPort}/letsapp`);
    const name = `lost_${when}`;
    await expect(through.db().collection(name).insertOne({ k: 1 })).rejects.toBeInstanceOf(MongoNetworkError);
    await through.close();
    server.close();
    expect(await client.db().collection(name).countDocuments()).toBe(count);
  });
});
