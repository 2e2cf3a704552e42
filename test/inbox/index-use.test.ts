/** The queries of the inbox go along the indexes that were made for them. */
import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import { install } from '../../server/model/install.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { outerUrl } from '../support/outer-database.ts';

const MANY_IDS = Array.from({ length: 100 }, () => new ObjectId());

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url).connect();
  const db = client.db();
  await install(db, pino({ level: 'silent' }));
  stored = collections(db);
});
afterAll(async () => {
  await client.close();
  await database.stop();
});

test.each([
  [
    'unread counts',
    'messages',
    'unread',
    { $or: [{ conversation_id: 'x', is_deleted: false, seq: { $gt: 1 }, sender_id: { $ne: new ObjectId() } }] },
  ],
  [
    'the last messages of summaries',
    'messages',
    'conversation_seq',
    {
      $or: [
        { conversation_id: 'x', seq: 5 },
        { conversation_id: 'y', seq: 1 },
      ],
    },
  ],
  [
    'the memberships of a user in groups',
    'memberships',
    'user_kind',
    { user_id: new ObjectId(), kind: 'group', left_at: { $exists: false } },
  ],
  [
    'calls that sync tells of',
    'calls',
    'told',
    {
      is_open: true,
      $or: [
        { is_open: true, told_ids: new ObjectId() },
        { is_open: true, conversation_id: { $in: ['x', 'y'] } },
      ],
    },
  ],
  [
    'summary checks',
    'messages',
    'conversation_rev',
    {
      $or: [
        { conversation_id: 'x', rev: { $gte: 5 } },
        { conversation_id: 'y', rev: { $gte: 1 } },
      ],
    },
  ],
  [
    'marks that grew since a time',
    'memberships',
    'conversation',
    { conversation_id: { $in: ['x', 'y'] }, marks_at: { $gte: new Date() } },
  ],
  [
    'marks of peers that grew since a time',
    'memberships',
    'peer_marks',
    { peer_id: new ObjectId(), marks_at: { $gte: new Date() } },
  ],
  [
    'pairs that changed since a time',
    'conversations',
    'pairs_by_activity',
    { user_ids: new ObjectId(), changed_at: { $gte: new Date() } },
  ],
  [
    'members who have switched receipts off',
    'users',
    'read_receipts_enabled_off',
    { _id: { $in: MANY_IDS }, 'settings.read_receipts_enabled': false },
  ],
  ['search', 'messages', 'conversation_terms', { conversation_id: { $in: ['x', 'y'] }, $and: [{ terms: /^word/ }] }],
  [
    'receipts',
    'messages',
    'conversation_seq',
    { conversation_id: 'x', sender_id: new ObjectId(), status: 'sent', seq: { $gt: 1, $lte: 5 } },
  ],
] as const)('the query of %s uses its index', async (_what, collection, index, filter) => {
  const plan = await stored[collection].find(filter as never).explain('queryPlanner');
  const text = JSON.stringify(plan.queryPlanner.winningPlan);
  expect(text).not.toContain('COLLSCAN');
  // Of several that would do on an empty collection, MongoDB takes any.
  if (!outerUrl) expect(text).toContain(`"indexName":"${index}"`);
});

test('a page of pairs is read in the order of its index, without sorting', async () => {
  const plan = await stored.conversations
    .find({ user_ids: new ObjectId(), activity_at: { $lte: new Date() } })
    .sort({ activity_at: -1, _id: -1 })
    .limit(10)
    .explain('queryPlanner');
  const text = JSON.stringify(plan.queryPlanner.winningPlan);
  expect(text).toContain('"indexName":"pairs_by_activity"');
  expect(text).not.toContain('"SORT"');
});
