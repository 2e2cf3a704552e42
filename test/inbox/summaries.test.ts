/**
 * Summaries that a crash left wrong, as the test writes them beside the running server. Every answer follows the
 * messages themselves, and the summary is repaired.
 */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { ConversationDocument } from '../../server/model/documents/conversations.ts';
import { type Account, connect, type Device, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';

let database: TestDatabase;
let server: TestServer;
let client: MongoClient;
let stored: Collections;
beforeAll(async () => {
  database = await startDatabase();
  server = await startServer({ env: { MONGODB_URL: database.url } });
  client = await new MongoClient(database.url).connect();
  stored = collections(client.db());
});
afterAll(async () => {
  await client.close();
  await server.stop();
  await database.stop();
});

const to = (account: Account) => ({ recipient_id: account.id });
const LONG_AGO = new Date(Date.now() - 60_000);

/** A pair with three messages, the first of them edited. */
async function pair(): Promise<{ a: Device; b: Device; id: string }> {
  const [a, b] = [
    await connect(server.url, await register(server.url)),
    await connect(server.url, await register(server.url)),
  ];
  const sent = [];
  for (const content of ['one', 'two', 'three']) {
    sent.push((await a.ok('message:send', { ...to(b.account), content })).message);
  }
  await a.ok('message:edit', { message_id: sent[0]!._id, content: 'edited' });
  return { a, b, id: sent[0]!.conversation_id };
}

/** What the messages of `pair` say. */
const TRUTH = { last_seq: 3, rev: 4, last_message: { content: 'three' } };

test.each<[string, Partial<ConversationDocument>]>([
  ['that is behind by messages and changes', { last_seq: 1, rev: 1, activity_at: LONG_AGO, changed_at: LONG_AGO }],
  ['that is behind by a change', { rev: 3, changed_at: LONG_AGO }],
  [
    'that is ahead by messages which were never stored',
    { last_seq: 9, rev: 9, last_message_id: new ObjectId(), changed_at: LONG_AGO },
  ],
  ['with the right seq of a message that is not stored', { last_message_id: new ObjectId(), changed_at: LONG_AGO }],
])('a summary %s is repaired by list and sync, which answer by the messages', async (_how, wrong) => {
  for (const ask of ['conversation:list', 'sync'] as const) {
    const { b, id } = await pair();
    const before = (await stored.conversations.findOne({ _id: id }))!;
    await stored.conversations.updateOne({ _id: id }, { $set: wrong });
    if (ask === 'sync') {
      const { conversations } = await b.ok('sync', {});
      expect(conversations).toMatchObject([{ conversation: { ...TRUTH, unread_count: 3 }, has_more: false }]);
      expect(conversations[0]!.messages.map((message) => message.rev)).toEqual([2, 3, 4]);
    } else {
      expect((await b.ok('conversation:list')).conversations).toMatchObject([{ ...TRUTH, unread_count: 3 }]);
    }
    const { last_seq, rev, last_message_id, activity_at } = before;
    expect(await stored.conversations.findOne({ _id: id })).toMatchObject({
      last_seq,
      rev,
      last_message_id,
      activity_at,
    });
  }
});

test('a summary that is ahead by a message still on its way is left alone, and answers follow the messages', async () => {
  const { b, id } = await pair();
  // In the future, so that the test may take longer than any write.
  const changed_at = new Date(Date.now() + 3_600_000);
  const ahead = { last_seq: 4, rev: 5, last_message_id: new ObjectId(), changed_at };
  await stored.conversations.updateOne({ _id: id }, { $set: ahead });
  const { conversations } = await b.ok('sync', { conversations: { [id]: 2 } });
  // A client that believed it had rev 5 would never get it.
  expect(conversations).toMatchObject([{ conversation: TRUTH, has_more: false }]);
  expect(conversations[0]!.messages.map((message) => message.rev)).toEqual([3, 4]);
  expect(await stored.conversations.findOne({ _id: id })).toMatchObject({ last_seq: 4, rev: 5 });
});

test('a pair whose first message was recorded but never stored is shown to nobody', async () => {
  const { a, b, id } = await pair();
  await stored.messages.deleteMany({ conversation_id: id });
  for (const device of [a, b]) {
    expect((await device.ok('conversation:list')).conversations).toEqual([]);
    expect((await device.ok('sync', {})).conversations).toEqual([]);
  }
});

test('repeating an edit brings up a summary that missed it', async () => {
  const { a, b, id } = await pair();
  const { messages } = await a.ok('message:history', to(b.account));
  await stored.conversations.updateOne({ _id: id }, { $set: { rev: 3, changed_at: LONG_AGO } });
  await a.ok('message:edit', { message_id: messages[0]!._id, content: 'edited' });
  const { conversations } = await b.ok('sync', { conversations: { [id]: 3 }, since: new Date().toISOString() });
  expect(conversations[0]?.messages.map((message) => message.content)).toEqual(['edited']);
});

test('repeating a reading raises marks that a crash left behind the statuses', async () => {
  const { a, b, id } = await pair();
  await stored.messages.updateMany({ conversation_id: id }, { $set: { status: 'read' } });
  expect(await b.ok('message:read', { ...to(a.account), up_to_seq: 3 })).toEqual({ unread_count: 0 });
  expect(await a.next('message:status')).toMatchObject({ user_id: b.id, delivered_seq: 3, read_seq: 3 });
});
