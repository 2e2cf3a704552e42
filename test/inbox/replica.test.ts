/**
 * Four users do whatever they can at random while one client drops and returns. What it has built from events and
 * `sync`, asked for in every way, must equal what a client has that never left, what one gets that was never there, and
 * what is stored. `LONG=1` makes 300 runs.
 */
import fc from 'fast-check';
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';
import { toWireMessage } from '../../server/model/views/message.ts';
import type { Account } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { operation, syncOptions } from './random-operations.ts';
import { comparable, type ReplicaState, type SyncOptions } from './replica.ts';
import { createWorld, type World } from './replica-world.ts';

const RUNS = process.env.LONG ? 300 : 8;
/** Every command has a time limit of its own, so the test needs none. */
const NO_TIME_LIMIT = 0;

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

test(
  `a client that drops and returns misses nothing (${RUNS} runs)`,
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 120, maxLength: 240 }),
        // How many operations are under way at once.
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 10 }),
        syncOptions,
        async (operations, bursts, fresh) => {
          const world = await createWorld(server.url);
          try {
            for (let at = 0, i = 0; at < operations.length; i++) {
              const size = bursts[i % bursts.length]!;
              await Promise.all(operations.slice(at, at + size).map((one) => world.carryOut(one)));
              at += size;
            }
            await compare(world, fresh);
          } finally {
            world.close();
          }
        },
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  NO_TIME_LIMIT,
);

async function compare(
  { watched, steady, steadyDevice, flaky, settle, createFresh }: World,
  freshOptions: SyncOptions,
): Promise<void> {
  await settle();
  const memberships = await stored.memberships.find({ user_id: new ObjectId(watched.id) }).toArray();
  const fromSeq = new Map(memberships.map((membership) => [membership.conversation_id, membership.from_seq]));
  const kept = steady.state(new Map());
  expect(flaky.state(fromSeq)).toEqual(kept);
  expect((await createFresh(freshOptions)).state(fromSeq)).toEqual(kept);
  const { conversations } = await steadyDevice.ok('conversation:list', { limit: 100 });
  const listed = conversations.filter((one) => one.last_message);
  expect(Object.fromEntries(listed.map((one) => [one.conversation_id, one.unread_count]))).toEqual(
    Object.fromEntries(Object.entries(kept).map(([id, { unread }]) => [id, unread])),
  );
  for (const [id, { messages, progress }] of Object.entries(kept)) {
    const documents = await readVisible(watched, id);
    expect(messages).toEqual(documents.map((document) => comparable(toWireMessage(document))));
    if (progress.length > 0) assertNotAhead(documents, watched, progress);
  }
  expect(Object.keys(kept).sort()).toEqual((await readConversations(watched)).sort());
}

/** The stored messages of a conversation that a user may see. */
async function readVisible(account: Account, id: string): Promise<MessageDocument[]> {
  const membership = await stored.memberships.findOne({ user_id: new ObjectId(account.id), conversation_id: id });
  const collection = id.includes('-') ? stored.messages : stored.group_messages;
  const found = await collection.find({ conversation_id: id, seq: { $gt: membership!.from_seq } }).toArray();
  return (found as MessageDocument[]).sort((one, other) => one.seq - other.seq);
}

/** The stored conversations in which a user may see anything. */
async function readConversations(account: Account): Promise<string[]> {
  const _id = new ObjectId(account.id);
  const [pairs, groups] = await Promise.all([
    stored.messages.distinct('conversation_id', { $or: [{ sender_id: _id }, { recipient_id: _id }] }),
    stored.groups.find({ members: _id, is_active: true }).toArray(),
  ]);
  const visible = await Promise.all(
    groups.map(async (group) => ((await readVisible(account, group._id.toHexString())).length > 0 ? group : undefined)),
  );
  return [...pairs, ...visible.flatMap((group) => group?._id.toHexString() ?? [])];
}

/** Stored statuses never say more than the marks. They may say less about what was read under a block. */
function assertNotAhead(documents: MessageDocument[], sender: Account, progress: ReplicaState['progress']): void {
  const order = ['sent', 'delivered', 'read'];
  const statuses = documents
    .filter((document) => document.sender_id.toHexString() === sender.id)
    .map((document) => ('status' in document ? document.status : 'sent'));
  statuses.forEach((status, i) => {
    expect(order.indexOf(status)).toBeLessThanOrEqual(order.indexOf(progress[i]!));
  });
}
