/** How many commands reach the database, counted by the driver's monitoring: the domain runs in this process. */
import { type CommandStartedEvent, MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBus, createMemoryBroker } from '../../server/bus/bus.ts';
import { createAccessRules } from '../../server/conversations/access-rules.ts';
import { createAudience } from '../../server/conversations/audience.ts';
import { createMessageStore } from '../../server/conversations/message-store.ts';
import { createVisibility } from '../../server/conversations/visibility.ts';
import type { Caller } from '../../server/dispatch/caller.ts';
import { createServerTime } from '../../server/dispatch/server-time.ts';
import { createInboxDomain, type InboxDomain } from '../../server/inbox/domain.ts';
import { createSearch } from '../../server/messages/search.ts';
import { type Collections, collections } from '../../server/model/collections.ts';
import { install } from '../../server/model/install.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { createUserWithPairs, type UserWithPairs } from './many-conversations.ts';

const MANY = 2000;
const MISSED = 5000;
/** What a driver sends by itself. */
const OVERHEAD = ['endSessions', 'hello', 'isMaster'];

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
let domain: InboxDomain;
let search: ReturnType<typeof createSearch>;
let few: UserWithPairs;
let many: UserWithPairs;
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
  domain = createInboxDomain({
    collections: stored,
    store,
    access,
    visibility,
    audience: createAudience(stored),
    bus: createBus(createMemoryBroker(() => {})),
    serverTime: createServerTime(clock, false),
    callsOf: async () => [],
    clock,
  });
  search = createSearch(store, access, domain.scopesOf);
  few = await createUserWithPairs(stored, 20, 40);
  many = await createUserWithPairs(stored, MANY, MISSED);
});
afterAll(async () => {
  await client.close();
  await database.stop();
});

async function countTrips<R>(work: () => R | Promise<R>): Promise<{ result: R; trips: number }> {
  commands.length = 0;
  const result = await work();
  const trips = commands.filter((name) => !OVERHEAD.includes(name));
  expect(trips, 'a further batch of a cursor is a round trip of its own').not.toContain('getMore');
  return { result, trips: trips.length };
}

test('a page of conversation:list takes as many round trips with 2,000 conversations as with 20', async () => {
  const list = (caller: Caller, payload: { limit: number; cursor?: string }) =>
    countTrips(() => domain.handlers['conversation:list'](caller, payload));
  const withFew = await list(few.caller, { limit: 10 });
  const withMany = await list(many.caller, { limit: 10 });
  expect(withMany.result.conversations).toHaveLength(10);
  expect(withMany.trips).toBe(withFew.trips);
  const next = await list(many.caller, { limit: 100, cursor: withMany.result.cursor! });
  expect(next.trips).toBe(withFew.trips);
  expect(withFew.trips).toBeLessThanOrEqual(9);
});

/** Repeats `sync` until nothing is missing, and counts the round trips of each. */
async function syncAll({ caller, revs }: UserWithPairs): Promise<{ trips: number[]; messages: number }> {
  const conversations = { ...revs };
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const trips: number[] = [];
  let messages = 0;
  for (let hasMore = true; hasMore; ) {
    const { result, trips: used } = await countTrips(() => domain.handlers.sync(caller, { conversations, since }));
    trips.push(used);
    for (const one of result.conversations) {
      messages += one.messages.length;
      const last = one.messages.at(-1);
      if (last) conversations[one.conversation.conversation_id] = last.rev;
    }
    hasMore = result.has_more;
  }
  return { trips, messages };
}

test('a sync takes as many round trips with 5,000 messages missed in 2,000 conversations as with 40 in 20', async () => {
  const withFew = await syncAll(few);
  expect(withFew).toMatchObject({ messages: 40, trips: [expect.any(Number)] });
  const withMany = await syncAll(many);
  expect(withMany.messages).toBe(MISSED);
  expect(withMany.trips).toHaveLength(MISSED / 500);
  expect(new Set(withMany.trips)).toEqual(new Set(withFew.trips));
  expect(withFew.trips[0]).toBeLessThanOrEqual(11);
});

test('a search takes as many round trips over 2,000 conversations as over 20', async () => {
  const searchIn = ({ caller }: UserWithPairs) => countTrips(() => search(caller, { query: 'mess 2' }));
  const [withFew, withMany] = [await searchIn(few), await searchIn(many)];
  expect(withMany.trips).toBe(withFew.trips);
});

test('a reading takes as many round trips however much is read', async () => {
  const readAll = async ({ caller, revs }: UserWithPairs) => {
    const [id] = Object.keys(revs) as [string];
    const { last_seq } = (await stored.conversations.findOne({ _id: id }))!;
    const recipient_id = id.split('-').find((user) => user !== caller.id)!;
    return countTrips(() => domain.handlers['message:read'](caller, { recipient_id, up_to_seq: last_seq }));
  };
  const [little, much] = [await readAll(few), await readAll(many)];
  expect(much.trips).toBe(little.trips);
  expect(much.result).toEqual({ unread_count: 0 });
  expect(much.trips).toBeLessThanOrEqual(14);
});
