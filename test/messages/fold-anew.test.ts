/** An upgrade from a version that folded otherwise: what is stored is folded anew beside the service. */
import { type Collection, type Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { earlierTermsOf } from '../../server/messages/earlier-terms.ts';
import { termsOf } from '../../server/messages/terms.ts';
import { type Account, connect, http, register } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, startServerForTest } from '../support/server.ts';

const TEXTS = ['Ο Κώστας ήρθε', 'große Straße', 'ガス会社', 'हिन्दी में', '人人生而自由'];
const FULL_NAME = 'Κώστας';
const WORDS = ['Κώστας', 'straße', 'ガス', 'हिन्दी', '自由'];

let database: TestDatabase;
let client: MongoClient;
beforeAll(async () => {
  database = await startDatabase();
  client = await MongoClient.connect(database.url);
});
afterAll(async () => {
  await client.close();
  await database.stop();
});

const stored = (name: string): Collection<Document> => client.db().collection(name);
const env = () => ({ MONGODB_URL: database.url, JWT_SECRET: 'x'.repeat(32) });

/** Two users, a group and messages in both collections, as a server of schema version 2 would have left them. */
async function leaveAsBefore(): Promise<{ ann: Account; bob: Account }> {
  const server = await startServer({ env: env() });
  const [ann, bob] = [await register(server.url, { full_name: FULL_NAME }), await register(server.url)];
  const device = await connect(server.url, ann);
  const { group } = await device.ok('group:create', { name: 'G', member_ids: [bob.id] });
  for (const content of TEXTS) {
    await device.ok('message:send', { recipient_id: bob.id, content });
    await device.ok('message:send', { group_id: group._id, content });
  }
  const { message } = await device.ok('message:send', { recipient_id: bob.id, content: 'gone' });
  await device.ok('message:delete', { message_id: message._id });
  await server.stop();
  for (const name of ['messages', 'group_messages']) {
    for (const { _id, content } of await stored(name).find({ is_deleted: false }).toArray()) {
      await stored(name).updateOne({ _id }, { $set: { terms: earlierTermsOf(content) } });
    }
  }
  await stored('users').updateMany({ full_name: FULL_NAME }, { $set: { full_name_key: 'κωστας' } });
  await stored('migrations').deleteMany({ _id: { $gt: 2 } as never });
  return { ann, bob };
}

async function allFound(url: string, account: Account): Promise<string[][]> {
  const { json } = await http(url, 'POST', '/auth/login', {
    body: { login: account.username, password: account.password },
  });
  const device = await connect(url, { ...account, ...json });
  const found = await Promise.all(WORDS.map((query) => device.ok('message:search', { query })));
  device.close();
  return found.map(({ messages }) => messages.map(({ content }) => content));
}

it('finds everything while folding waits, and folds messages and names when it comes to it', async () => {
  const { bob } = await leaveAsBefore();
  // Keeps the migration from beginning, as a long queue would.
  const later = new Date(Date.now() + 86_400_000);
  for (const name of ['users', 'messages', 'group_messages']) {
    const [kind, payload] = [`fold-${name}`, { round: 1 }];
    await stored('jobs').insertOne({ _id: `${kind}:2:1:` as never, kind, payload, due_at: later, attempts: 0 });
  }
  const server = await startServerForTest({ env: env() });
  const each = TEXTS.map((text) => [text, text]);
  expect(await allFound(server.url, bob)).toEqual(each);

  await stored('jobs').updateMany({ due_at: later }, { $set: { due_at: new Date() } });
  const left = () => stored('jobs').countDocuments({ _id: /^fold-.*:2:1:/ as never });
  await expect.poll(left).toBe(0);
  for (const name of ['messages', 'group_messages']) {
    const messages = await stored(name).find({ is_deleted: false }).toArray();
    expect(messages.map(({ terms }) => terms)).toEqual(messages.map(({ content }) => termsOf(content)));
    expect(await stored(name).countDocuments({ is_deleted: true, terms: { $exists: true } })).toBe(0);
  }
  expect(await stored('users').distinct('full_name_key', { full_name: FULL_NAME })).toEqual(['κωστασ']);
  expect(await allFound(server.url, bob)).toEqual(each);
  // What nodes of the earlier version write meanwhile is found by a second round.
  const rounds = await stored('jobs')
    .find({ _id: /^fold-/ as never })
    .toArray();
  expect(rounds.map(({ _id }) => String(_id)).sort()).toEqual([
    'fold-group_messages:2:2:',
    'fold-messages:2:2:',
    'fold-users:2:2:',
  ]);
  for (const { due_at } of rounds) expect(due_at.getTime()).toBeGreaterThan(Date.now() + 30 * 60_000);
});

it('has nothing to fold in a new database', async () => {
  const fresh = await startDatabase();
  const server = await startServerForTest({ env: { ...env(), MONGODB_URL: fresh.url } });
  const other = await MongoClient.connect(fresh.url);
  expect((await http(server.url, 'GET', '/readyz')).status).toBe(200);
  expect(
    await other
      .db()
      .collection<{ _id: string }>('jobs')
      .countDocuments({ _id: /^fold-/ }),
  ).toBe(0);
  await other.close();
  await server.stop();
  await fresh.stop();
});
