import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connect, connectPair, type Device, http, register, settle } from '../support/client.ts';
import { sharedServer, type TestServer } from '../support/server.ts';
import { startServerProcess } from '../support/server-process.ts';

let server: TestServer;
let ann: Device;
let bob: Device;
let bobLaptop: Device;

beforeAll(async () => {
  server = await sharedServer();
  [ann, bob] = await connectPair(server.url, server.url);
  bobLaptop = await connect(server.url, bob.account);
});
afterAll(() => {
  for (const device of [ann, bob, bobLaptop]) device?.close();
});

/** Names and values that a database, or a program, might read a meaning into. */
const AWKWARD = {
  z: 1,
  a: [null, true, -0.5, 1e300, 9007199254740991, 4294967296, ''],
  _bsontype: 'ObjectId',
  constructor: { prototype: null },
  toJSON: 'x',
  toBSON: 1,
  hasOwnProperty: false,
  _id: 'f'.repeat(24),
  date: '2026-01-01T00:00:00.000Z',
  '': { a$: [[{ 'ключ 😀': {} }]] },
};

const send = (more: object) => ann.ok('message:send', { recipient_id: bob.id, content: 'x', ...more });
const exactly = (value: unknown) => JSON.stringify(value);

describe('metadata of a message', () => {
  it('comes back as it came: to all devices, in history, in sync and by search', async () => {
    const word = `word${Date.now()}`;
    const { message } = await send({ content: word, metadata: AWKWARD });
    const { message: told } = await bobLaptop.next('message:new', (event) => event.message._id === message._id);
    const history = await bob.ok('message:history', { recipient_id: ann.id, limit: 1 });
    const search = await bob.ok('message:search', { query: word });
    const sync = await bob.ok('sync');
    const [synced] = sync.conversations.flatMap(({ messages }) => messages).filter(({ _id }) => _id === message._id);
    for (const one of [message, told, history.messages[0], search.messages[0], synced]) {
      expect(exactly(one?.metadata)).toBe(exactly(AWKWARD));
    }
  });

  it('is there after a restart, and a repeat of the send is answered with it', async () => {
    const first = await startServerProcess({ env: { JWT_SECRET: 's'.repeat(32) } });
    const [a, b] = await connectPair(first.url, first.url);
    const payload = { recipient_id: b.id, content: 'x', client_message_id: 'c1', metadata: AWKWARD };
    const { message } = await a.ok('message:send', payload);
    await first.kill();
    const second = await startServerProcess({ env: { JWT_SECRET: 's'.repeat(32) }, dataDir: first.dataDir });
    onTestFinished(() => second.kill());
    const again = await connect(second.url, a.account);
    const repeat = await again.ok('message:send', { ...payload, metadata: {} });
    expect(repeat.duplicate).toBe(true);
    expect(repeat.message).toEqual(message);
    expect(exactly(repeat.message.metadata)).toBe(exactly(AWKWARD));
    for (const device of [a, b, again]) device.close();
  });

  it('is left out where it is empty', async () => {
    const { message } = await send({ metadata: {} });
    expect(message).not.toHaveProperty('metadata');
  });

  it('is replaced by an edit, alone or with the text, and taken away by {}', async () => {
    const { message } = await send({ metadata: { a: 1, b: 2 } });
    const edit = (more: object) => ann.ok('message:edit', { message_id: message._id, content: 'x', ...more });
    const { message: alone } = await edit({ metadata: { c: 3 } });
    expect(alone).toMatchObject({ rev: message.rev + 1, content: 'x', metadata: { c: 3 } });
    expect(alone.edited_at).toBe(alone.updated_at);
    expect(alone.metadata).not.toHaveProperty('a');
    expect((await bob.next('message:updated', (event) => event.message.rev === alone.rev)).message).toEqual(alone);
    const { message: text } = await edit({ content: 'y' });
    expect(text).toMatchObject({ rev: message.rev + 2, content: 'y', metadata: { c: 3 } });
    const { message: bare } = await edit({ content: 'y', metadata: {} });
    expect(bare.rev).toBe(message.rev + 3);
    expect(bare).not.toHaveProperty('metadata');
  });

  it('is no change where text and metadata are the same', async () => {
    const { message } = await send({ metadata: AWKWARD });
    await settle(ann, bob);
    bob.clear();
    const { message: same } = await ann.ok('message:edit', {
      message_id: message._id,
      content: 'x',
      metadata: AWKWARD,
    });
    expect(same).toEqual(message);
    await settle(ann, bob);
    expect(bob.seen('message:updated')).toEqual([]);
  });

  it('goes with the message', async () => {
    const { message } = await send({ metadata: { a: 1 } });
    const { message: tombstone } = await ann.ok('message:delete', { message_id: message._id });
    expect(tombstone).not.toHaveProperty('metadata');
    const { messages } = await bob.ok('message:history', { recipient_id: ann.id, limit: 1 });
    expect(messages[0]).toEqual(tombstone);
  });

  it.each([
    ['a key with $', { $set: { a: 1 } }],
    ['a key with a point within a list', { a: [{ 'b.c': 1 }] }],
    ['more than 4 KiB', { a: 'x'.repeat(4096) }],
    ['nine levels', JSON.parse(`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`)],
    ['null', null],
    ['a list', []],
    ['a text', 'x'],
  ])('is refused with %s, by sending and by editing', async (_, metadata) => {
    const { message } = await send({});
    const refusals = await Promise.all([
      ann.refused('message:send', { recipient_id: bob.id, content: 'x', metadata }),
      ann.refused('message:edit', { message_id: message._id, content: 'x', metadata }),
    ]);
    for (const { code, details } of refusals) {
      expect(code).toBe('validation_failed');
      expect(details).toEqual([{ path: 'metadata', message: expect.any(String) }]);
    }
  });

  it('comes the same way over HTTP', async () => {
    const account = await register(server.url);
    const { json } = await http(server.url, 'POST', '/api/message/send', {
      token: account.access_token,
      body: { recipient_id: bob.id, content: 'x', metadata: { b: 1, a: null } },
    });
    expect(exactly(json.data.message.metadata)).toBe('{"b":1,"a":null}');
  });
});
