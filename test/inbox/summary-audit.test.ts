import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { createJobs } from '../../server/cluster/jobs.ts';
import { SUMMARY_AUDIT } from '../../server/conversations/changed-conversations.ts';
import { createMessageStore, type MessageStore } from '../../server/conversations/message-store.ts';
import { handleSummaryAudit } from '../../server/inbox/summary-audit.ts';
import { createSummaryCheck } from '../../server/inbox/summary-check.ts';
import { createSummaryWrites } from '../../server/inbox/summary-writes.ts';
import { connect, type Database } from '../../server/model/connect.ts';
import { groupRef } from '../../server/model/conversation-ref.ts';
import type { GroupMessageDocument } from '../../server/model/documents/messages.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const log = pino({ level: 'silent' });
let database: TestDatabase;
let connection: Database;
let store: MessageStore;
beforeAll(async () => {
  database = await startDatabase();
  connection = await connect(database.url, log);
  store = createMessageStore(connection.collections);
});
afterAll(async () => {
  await connection.close();
  await database.stop();
});

const LONG_AGO = new Date('2026-01-01T00:00:00.000Z');

async function storeMessage(id: string, seq: number, rev: number): Promise<void> {
  const message: GroupMessageDocument = {
    _id: store.newId(id),
    conversation_id: id,
    seq,
    rev,
    revs: [rev],
    sender_id: new ObjectId(),
    group_id: new ObjectId(id),
    content: 'hello',
    message_type: 'text',
    attachment: null,
    created_at: LONG_AGO,
    updated_at: LONG_AGO,
    is_deleted: false,
    read_by: [],
  };
  await store.insert(groupRef(id), [message]);
}

it('brings up what a killed node left behind, wherever it is, and says that it has just changed', async () => {
  const { collections, clock } = connection;
  const jobs = createJobs({ jobs: collections.jobs, clock, log, lookMs: 20 });
  onTestFinished(() => jobs.close());
  const writes = createSummaryWrites({ collections, store, clock });
  handleSummaryAudit({ collections, store, jobs, summaryCheck: createSummaryCheck({ store, writes, clock }) });

  // More than a page, each with one message that its summary knows.
  const ids = Array.from({ length: 210 }, () => new ObjectId().toHexString());
  await collections.conversations.insertMany(
    ids.map((_id) => ({
      _id,
      kind: 'group' as const,
      group_id: new ObjectId(_id),
      last_seq: 1,
      rev: 1,
      activity_at: LONG_AGO,
      changed_at: LONG_AGO,
      created_at: LONG_AGO,
    })),
  );
  await Promise.all(ids.map((id) => storeMessage(id, 1, 1)));
  const [sent, edited] = [ids[3]!, ids[205]!];
  await storeMessage(sent, 2, 2);
  await collections.group_messages.updateOne({ conversation_id: edited }, { $set: { rev: 2 }, $push: { revs: 2 } });

  const began = clock();
  await jobs.add(SUMMARY_AUDIT, 'somebody:', { of: 'somebody' });
  await eventually(async () => expect(await collections.jobs.countDocuments()).toBe(0));
  const changed = await collections.conversations.find({ changed_at: { $gte: began } }).toArray();
  expect(changed.map(({ _id, rev, last_seq }) => [_id, rev, last_seq]).sort()).toEqual(
    [
      [sent, 2, 2],
      [edited, 2, 1],
    ].sort(),
  );
});
