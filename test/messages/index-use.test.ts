import { type Document, MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAccessRules } from '../../server/conversations/access-rules.ts';
import { createMessageStore } from '../../server/conversations/message-store.ts';
import { createVisibility } from '../../server/conversations/visibility.ts';
import type { Caller } from '../../server/dispatch/caller.ts';
import { createHistory } from '../../server/messages/history.ts';
import { collections } from '../../server/model/collections.ts';
import { pairId } from '../../server/model/conversation-ref.ts';
import { install } from '../../server/model/install.ts';
import { startDatabase } from '../support/database.ts';
import { uncached } from '../support/lookups.ts';

const COUNT = 5000;
const ann = new ObjectId();
const bob = new ObjectId();

let client: MongoClient;
let stop: () => Promise<void>;
const finds: Document[] = [];

beforeAll(async () => {
  const database = await startDatabase();
  client = await new MongoClient(database.url, { monitorCommands: true }).connect();
  client.on('commandStarted', ({ command }) => {
    if (command.find === 'messages') finds.push(command);
  });
  stop = async () => {
    await client.close();
    await database.stop();
  };
  await install(db(), pino({ level: 'silent' }));
  const at = new Date();
  await db().collection('users').insertOne({
    _id: bob,
    username: 'bob',
    username_key: 'bob',
    email: 'bob@example.test',
    email_key: 'bob@example.test',
    password: 'x',
    created_at: at,
    updated_at: at,
    last_seen: at,
    is_active: true,
  });
  const message = (seq: number) => ({
    conversation_id: pairId(ann.toHexString(), bob.toHexString()),
    seq,
    rev: seq,
    revs: [seq],
    sender_id: ann,
    recipient_id: bob,
    content: `${seq}`,
    message_type: 'text',
    attachment: null,
    created_at: at,
    updated_at: at,
    status: 'sent',
    is_deleted: false,
  });
  await db()
    .collection('messages')
    .insertMany(Array.from({ length: COUNT }, (_, i) => message(i + 1)));
});

afterAll(async () => {
  await stop?.();
});

const db = () => client.db();

it.each([
  ['the newest', {}],
  ['in the middle', { before_seq: COUNT / 2 }],
  ['in the middle, forwards', { after_seq: COUNT / 2 }],
])('a page of history (%s) is read by an index, and no more of it than the page shows', async (_which, bounds) => {
  const all = collections(db());
  const history = createHistory(createMessageStore(all), createAccessRules(all, createVisibility(false), uncached));
  finds.length = 0;
  const { messages } = await history({ id: ann.toHexString(), userId: ann } as Caller, {
    recipient_id: bob.toHexString(),
    ...bounds,
  });
  expect(messages).toHaveLength(50);
  expect(finds).toHaveLength(1);
  const { find, filter, sort, limit, projection } = finds[0]!;
  const explained = await db().command({
    explain: { find, filter, sort, limit, projection },
    verbosity: 'executionStats',
  });
  const plan = JSON.stringify(explained.queryPlanner.winningPlan);
  expect(plan).toContain('IXSCAN');
  expect(plan).not.toContain('COLLSCAN');
  expect(plan).not.toContain('"SORT"');
  expect(explained.executionStats.totalDocsExamined).toBeLessThanOrEqual(51);
  expect(explained.executionStats.totalKeysExamined).toBeLessThanOrEqual(52);
});
