/** Reactions of more users than a message names. */
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { MOST_USERS } from '../../server/messages/reactions.ts';
import { connect, type Device, registerMany } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';

let database: TestDatabase;
let client: MongoClient;
let server: TestServer;
let members: [Device, Device, Device];
let message_id: string;

beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url).connect();
  server = await startServer({ env: { MONGODB_URL: database.url } });
  const accounts = await registerMany(server.url, 3);
  members = (await Promise.all(accounts.map((account) => connect(server.url, account)))) as typeof members;
});
afterAll(async () => {
  await server?.stop();
  await client?.close();
  await database?.stop();
});

/** A message that names so many, the first member among them. */
async function reactedBy(count: number): Promise<void> {
  const [a, b, c] = members;
  const { group } = await a.ok('group:create', { name: 'Crew', member_ids: [b.id, c.id] });
  ({ _id: message_id } = (await a.ok('message:send', { group_id: group._id, content: 'x' })).message);
  const user_ids = [new ObjectId(a.id), ...Array.from({ length: count - 1 }, () => new ObjectId())];
  await client
    .db()
    .collection('group_messages')
    .updateOne({ _id: new ObjectId(message_id) }, { $set: { reactions: [{ emoji: '👍', user_ids }] } });
}

/** Reacts, and gives how many are named and counted then. */
async function react(device: Device, remove = false): Promise<[number | undefined, number | undefined]> {
  const { message } = await device.ok('message:react', { message_id, emoji: '👍', remove });
  const [reaction] = message.reactions ?? [];
  return [reaction?.user_ids.length, reaction?.count];
}

beforeEach(() => reactedBy(MOST_USERS));

it('are counted beyond the first, once for each user, and can be taken back', async () => {
  const [, b, c] = members;
  expect(await react(b)).toEqual([MOST_USERS, MOST_USERS + 1]);
  expect(await react(b)).toEqual([MOST_USERS, MOST_USERS + 1]);
  expect(await react(c)).toEqual([MOST_USERS, MOST_USERS + 2]);
  expect(await react(b, true)).toEqual([MOST_USERS, MOST_USERS + 1]);
  expect(await react(b, true)).toEqual([MOST_USERS, MOST_USERS + 1]);
  expect(await react(c, true)).toEqual([MOST_USERS, undefined]);
});

it('stay counted when one of the first takes theirs back, who is counted when they come again', async () => {
  const [a, b] = members;
  await react(b);
  expect(await react(a)).toEqual([MOST_USERS, MOST_USERS + 1]);
  expect(await react(a, true)).toEqual([MOST_USERS - 1, MOST_USERS]);
  expect(await react(a)).toEqual([MOST_USERS - 1, MOST_USERS + 1]);
});

it('of several at once are all counted, also where they fill what is left', async () => {
  await reactedBy(MOST_USERS - 1);
  const [, b, c] = members;
  await Promise.all([react(b), react(c)]);
  expect(await react(c)).toEqual([MOST_USERS, MOST_USERS + 1]);
});

it('are forgotten with their message', async () => {
  const [a, b] = members;
  await react(b);
  const counted = client.db().collection('counted_reactions');
  const filter = { message_id: new ObjectId(message_id) };
  expect(await counted.countDocuments(filter)).toBe(1);
  await a.ok('message:delete', { message_id });
  expect(await counted.countDocuments(filter)).toBe(0);
});
