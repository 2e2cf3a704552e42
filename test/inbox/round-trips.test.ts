/** How many commands reach the database, counted by the driver's own monitoring: the services run in this process. */
import { type CommandStartedEvent, MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createInboxDomain, type InboxDomain } from '../../server/inbox/domain.ts';
import { createServerTime } from '../../server/dispatch/server-time.ts';
import { type Collections, collections } from '../../server/model/collections.ts';
import type {
  ConversationDocument,
  MembershipDocument,
  PairMessageDocument,
  UserDocument,
} from '../../server/model/documents.ts';
import { install } from '../../server/model/install.ts';
import { createBus, createMemoryBroker } from '../../server/bus/bus.ts';
import type { Caller } from '../../server/dispatch/caller.ts';
import { pairRef } from '../../server/model/conversation-ref.ts';
import { createMessageStore } from '../../server/conversations/message-store.ts';
import { createSearch } from '../../server/messages/search.ts';
import { termsOf } from '../../server/messages/terms.ts';
import type { CommandData } from '../../shared/contract/index.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { createAccessRules } from '../../server/conversations/access-rules.ts';
import { createVisibility } from '../../server/conversations/visibility.ts';

const MANY = 2000;
const MISSED = 5000;
const YESTERDAY = new Date(Date.now() - 86_400_000);

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
let domain: InboxDomain;
let search: ReturnType<typeof createSearch>;
const commands: string[] = [];

beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url, { monitorCommands: true, ignoreUndefined: true }).connect();
  client.on('commandStarted', ({ commandName }: CommandStartedEvent) => commands.push(commandName));
  const db = client.db('letsapp');
  await install(db);
  stored = collections(db);
  const clock = () => new Date();
  const store = createMessageStore(stored);
  const visibility = createVisibility(false);
  const access = createAccessRules(stored, visibility);
  const bus = createBus(createMemoryBroker(() => {}));
  domain = createInboxDomain({
    collections: stored,
    store,
    access,
    bus,
    visibility,
    serverTime: createServerTime(clock, false),
    callsOf: async () => [],
    clock,
  });
  search = createSearch(store, access, domain.scopesOf);
});
afterAll(async () => {
  await client.close();
  await database.stop();
});

function userDocument(): UserDocument {
  const _id = new ObjectId();
  const name = _id.toHexString();
  return {
    _id,
    username: name,
    username_key: name,
    email: `${name}@example.test`,
    email_key: `${name}@example.test`,
    password: 'x',
    password_history: [],
    last_password_change: YESTERDAY,
    full_name: null,
    full_name_key: '',
    profile_picture: null,
    bio: '',
    settings: {},
    created_at: YESTERDAY,
    updated_at: YESTERDAY,
    last_seen: YESTERDAY,
    is_active: true,
  };
}

/** A user with conversations that hold one old message each, and newer ones that were missed in some of them. */
async function createUser(
  conversations: number,
  missed: number,
): Promise<{ caller: Caller; revs: Record<string, number> }> {
  const me = userDocument();
  const peers = Array.from({ length: conversations }, userDocument);
  const places: MembershipDocument[] = [];
  const summaries: ConversationDocument[] = [];
  const messages: PairMessageDocument[] = [];
  const revs: Record<string, number> = {};
  // What was missed came in every tenth conversation.
  const busy = Math.ceil(conversations / 10);
  peers.forEach((peer, i) => {
    const { id } = pairRef(me._id.toHexString(), peer._id.toHexString());
    const count = 1 + (i < busy ? Math.ceil((missed - i) / busy) : 0);
    const last = new ObjectId();
    const at = count > 1 ? new Date() : YESTERDAY;
    for (let seq = 1; seq <= count; seq++) {
      const content = `message ${seq} of ${i}`;
      messages.push({
        _id: seq === count ? last : new ObjectId(),
        conversation_id: id,
        seq,
        rev: seq,
        sender_id: peer._id,
        recipient_id: me._id,
        content,
        message_type: 'text',
        attachment: null,
        created_at: at,
        updated_at: at,
        is_deleted: false,
        status: 'sent',
        terms: termsOf(content),
      });
    }
    for (const [user_id, peer_id] of [
      [me._id, peer._id],
      [peer._id, me._id],
    ] as const) {
      places.push({
        _id: new ObjectId(),
        user_id,
        conversation_id: id,
        kind: 'direct',
        peer_id,
        from_seq: 0,
        joined_at: YESTERDAY,
        delivered_seq: 1,
        read_seq: 1,
        shown_read_seq: 1,
        changed_at: YESTERDAY,
      });
    }
    summaries.push({
      _id: id,
      kind: 'direct',
      user_ids: [me._id, peer._id],
      last_seq: count,
      rev: count,
      last_message_id: last,
      activity_at: at,
      changed_at: at,
      created_at: YESTERDAY,
    });
    revs[id] = 1;
  });
  await Promise.all([
    stored.users.insertMany([me, ...peers]),
    stored.memberships.insertMany(places),
    stored.conversations.insertMany(summaries),
    stored.messages.insertMany(messages),
  ]);
  const caller: Caller = {
    userId: me._id,
    id: me._id.toHexString(),
    sessionId: '0'.repeat(24),
    socketId: 'socket',
    inTurn: async (prepare, act) => act(await prepare),
  };
  return { caller, revs };
}

async function count<R>(work: () => Promise<R>): Promise<{ result: R; trips: number }> {
  commands.length = 0;
  const result = await work();
  // Which a driver sends by itself.
  const trips = commands.filter((name) => !['endSessions', 'hello', 'isMaster'].includes(name));
  expect(trips, 'further batches of a cursor are round trips too').not.toContain('getMore');
  return { result, trips: trips.length };
}

type Synced = CommandData<'sync'>;

async function syncAll(caller: Caller, revs: Record<string, number>) {
  const conversations = { ...revs };
  const trips: number[] = [];
  let messages = 0;
  for (let more = true; more; ) {
    const { result, trips: used } = await count(
      async () =>
        (await domain.handlers.sync(caller, {
          conversations,
          since: new Date(Date.now() - 3_600_000).toISOString(),
        })) as Synced,
    );
    trips.push(used);
    for (const one of result.conversations) {
      messages += one.messages.length;
      const last = one.messages.at(-1);
      if (last) conversations[one.conversation.conversation_id] = last.rev;
    }
    more = result.has_more;
  }
  return { trips, messages };
}

describe('round trips to the database', () => {
  let few: Awaited<ReturnType<typeof createUser>>;
  let many: Awaited<ReturnType<typeof createUser>>;
  beforeAll(async () => {
    few = await createUser(20, 40);
    many = await createUser(MANY, MISSED);
  }, 60_000);

  test('of a page of conversation:list are as many with 2,000 conversations as with 20, on every page', async () => {
    const first = async (caller: Caller) =>
      count(
        async () =>
          (await domain.handlers['conversation:list'](caller, { limit: 10 })) as CommandData<'conversation:list'>,
      );
    const withFew = await first(few.caller);
    const withMany = await first(many.caller);
    expect(withMany.result.conversations).toHaveLength(10);
    expect(withMany.trips).toBe(withFew.trips);
    const { cursor } = withMany.result;
    const second = await count(async () =>
      domain.handlers['conversation:list'](many.caller, { limit: 100, cursor: cursor! }),
    );
    expect(second.trips).toBe(withFew.trips);
    expect(withFew.trips).toBeLessThanOrEqual(12);
  });

  test('of a sync are as many with 5,000 missed messages in 2,000 conversations as with 40 in 20', async () => {
    const withFew = await syncAll(few.caller, few.revs);
    expect(withFew).toMatchObject({ messages: 40, trips: [expect.any(Number)] });
    const withMany = await syncAll(many.caller, many.revs);
    expect(withMany.messages).toBe(MISSED);
    expect(withMany.trips).toHaveLength(MISSED / 500);
    expect(new Set(withMany.trips)).toEqual(new Set(withFew.trips));
    expect(withFew.trips[0]).toBeLessThanOrEqual(16);
  }, 60_000);

  test('of a search are as many over 2,000 conversations as over 20', async () => {
    const searching = (caller: Caller) => count(async () => search(caller, { query: 'mess 2' }));
    const [withFew, withMany] = [await searching(few.caller), await searching(many.caller)];
    expect(withMany.trips).toBe(withFew.trips);
  });

  test('of a reading do not depend on how much is read', async () => {
    const readAll = async ({ caller, revs }: typeof few) => {
      const [id] = Object.keys(revs) as [string];
      const { last_seq } = (await stored.conversations.findOne({ _id: id }))!;
      const recipient_id = id.split('-').find((user) => user !== caller.id)!;
      return count(async () => domain.handlers['message:read'](caller, { recipient_id, up_to_seq: last_seq }));
    };
    const [little, much] = [await readAll(few), await readAll(many)];
    expect(much.trips).toBe(little.trips);
    expect(much.result).toEqual({ unread_count: 0 });
  });
});

describe('the queries of conversations use their indexes', () => {
  test.each([
    [
      'unread counts',
      'messages',
      'unread',
      { $or: [{ conversation_id: 'x', is_deleted: false, seq: { $gt: 1 }, sender_id: { $ne: new ObjectId() } }] },
    ],
    [
      'the check of summaries',
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
      'marks since a time',
      'memberships',
      'conversation',
      { conversation_id: { $in: ['x', 'y'] }, marks_at: { $gte: new Date() } },
    ],
    ['search', 'messages', 'conversation_terms', { conversation_id: { $in: ['x', 'y'] }, $and: [{ terms: /^word/ }] }],
    [
      'receipts',
      'messages',
      'conversation_seq',
      { conversation_id: 'x', sender_id: new ObjectId(), status: 'sent', seq: { $gt: 1, $lte: 5 } },
    ],
  ] as const)('%s', async (_what, collection, index, filter) => {
    const plan = await client
      .db('letsapp')
      .collection(collection)
      .find(filter as never)
      .explain('queryPlanner');
    const text = JSON.stringify(plan.queryPlanner.winningPlan);
    expect(text).toContain(`"indexName":"${index}"`);
    expect(text).not.toContain('COLLSCAN');
  });

  test('a page of pairs comes in the order of its index', async () => {
    const plan = await stored.conversations
      .find({ user_ids: new ObjectId(), activity_at: { $lte: new Date() } })
      .sort({ activity_at: -1, _id: -1 })
      .limit(10)
      .explain('queryPlanner');
    const text = JSON.stringify(plan.queryPlanner.winningPlan);
    expect(text).toContain('"indexName":"pairs_by_activity"');
    expect(text).not.toContain('"SORT"');
  });
});
