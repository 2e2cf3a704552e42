/** How many commands reach the database, counted by the driver's monitoring. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Caller } from '../../server/dispatch/caller.ts';
import { createSearch } from '../../server/messages/search.ts';
import { type Inbox, openInbox } from './in-process.ts';
import { addGroups, createUserWithPairs, type UserWithPairs } from './many-conversations.ts';

/** Commands of a page of the list, with groups on it, and of an answer of `sync`. */
const MOST_OF_LIST = 4;
const MOST_OF_SYNC = 9;
/** Beyond the 250 conversations that an answer looks up in one step. */
const PAIRS = 600;
const MISSED = 2500;

let inbox: Inbox;
let search: ReturnType<typeof createSearch>;
/** With 20 pairs. */
let few: UserWithPairs;
/** With 600 pairs. */
let many: UserWithPairs;
/** With 15 pairs and 10 groups. */
let fewMixed: UserWithPairs;
/** With 600 pairs and 200 groups. */
let manyMixed: UserWithPairs;

beforeAll(async () => {
  inbox = await openInbox();
  search = createSearch(inbox.store, inbox.access, inbox.domain.scopesOf, () => false);
  few = await createUserWithPairs(inbox.stored, 20, 40);
  many = await createUserWithPairs(inbox.stored, PAIRS, MISSED);
  fewMixed = await createUserWithPairs(inbox.stored, 15, 35);
  await addGroups(inbox.stored, fewMixed, 10, 10);
  manyMixed = await createUserWithPairs(inbox.stored, PAIRS, MISSED - 100);
  await addGroups(inbox.stored, manyMixed, 200, 10);
});
afterAll(() => inbox.close());

/** Counts the round trips of work; `batches` are those for further batches of a cursor. */
async function countTrips<R>(work: () => R | Promise<R>): Promise<{ result: R; trips: number; batches: number }> {
  inbox.commands.length = 0;
  const result = await work();
  const batches = inbox.commands.filter((name) => name === 'getMore').length;
  return { result, trips: inbox.commands.length - batches, batches };
}

test.each([
  ['pairs', () => [few, many] as const, MOST_OF_LIST - 1],
  ['pairs and groups', () => [fewMixed, manyMixed] as const, MOST_OF_LIST],
])('a page of conversation:list takes as many round trips with 600 %s as with 20', async (_of, users, most) => {
  const list = (caller: Caller, payload: { limit: number; cursor?: string }) =>
    countTrips(() => inbox.domain.handlers['conversation:list'](caller, payload));
  const [withFew, withMany] = [
    await list(users()[0].caller, { limit: 10 }),
    await list(users()[1].caller, { limit: 10 }),
  ];
  expect(withMany.result.conversations).toHaveLength(10);
  expect(withMany).toMatchObject({ trips: withFew.trips, batches: 0 });
  const next = await list(users()[1].caller, { limit: 100, cursor: withMany.result.cursor! });
  expect(next).toMatchObject({ trips: withFew.trips, batches: 0 });
  expect(withFew.trips).toBeLessThanOrEqual(most);
});

interface SyncOptions {
  /** With the cursor of the answer before. */
  byCursor: boolean;
  /** Whether the client knows when it was told of everything. */
  since: boolean;
}

/** Repeats `sync` until nothing is missing, and counts the round trips of each. */
async function syncAll({ caller, revs }: Pick<UserWithPairs, 'caller' | 'revs'>, { byCursor, since }: SyncOptions) {
  const conversations = { ...revs };
  const from = since ? { since: new Date(Date.now() - 3_600_000).toISOString() } : {};
  const trips: number[] = [];
  const batches: number[] = [];
  let messages = 0;
  let cursor: string | undefined;
  for (let hasMore = true; hasMore; ) {
    const payload = { conversations, ...from, ...(byCursor && cursor ? { cursor } : {}) };
    const { result, ...used } = await countTrips(() => inbox.domain.handlers.sync(caller, payload));
    trips.push(used.trips);
    batches.push(used.batches);
    for (const one of result.conversations) {
      messages += one.messages.length;
      const last = one.messages.at(-1);
      if (last) conversations[one.conversation.conversation_id] = last.rev;
    }
    cursor = result.cursor;
    hasMore = result.has_more;
  }
  return { trips, batches, messages };
}

describe.each([
  ['without the cursor', false],
  ['by the cursor', true],
])('a sync %s', (_how, byCursor) => {
  test('takes few round trips with 2,500 messages missed in 800 pairs and groups, as with 40 in 25', async () => {
    const withFew = await syncAll(fewMixed, { byCursor, since: true });
    expect(withFew).toMatchObject({ messages: 40, trips: [expect.any(Number)], batches: [0] });
    const withMany = await syncAll(manyMixed, { byCursor, since: true });
    expect(withMany.messages).toBe(MISSED);
    // More than 250 conversations in an answer are looked up in two steps.
    expect(withFew.trips[0]).toBe(MOST_OF_SYNC - 1);
    expect(Math.max(...withMany.trips)).toBeLessThanOrEqual(MOST_OF_SYNC);
    // 500 messages are read in two batches, so that less is read in vain where they are large.
    expect(Math.max(...withMany.batches)).toBeLessThanOrEqual(1);
  });

  test('takes no more when all are pairs', async () => {
    const [withFew, withMany] = [
      await syncAll(few, { byCursor, since: true }),
      await syncAll(many, { byCursor, since: true }),
    ];
    expect(withMany).toMatchObject({ messages: MISSED, trips: Array(MISSED / 500).fill(expect.any(Number)) });
    expect(Math.max(...withMany.trips)).toBe(withFew.trips[0]);
    expect(withFew.trips[0]).toBeLessThan(MOST_OF_SYNC);
  });
});

test.each([
  ['names nothing', () => ({ caller: manyMixed.caller, revs: {} }), MISSED - 100 + PAIRS + 300],
  ['names all that it has', () => manyMixed, MISSED],
])('a sync of everything takes no more, for a client that %s', async (_what, client, messages) => {
  const { trips, ...found } = await syncAll(client(), { byCursor: true, since: false });
  expect(found.messages).toBe(messages);
  expect(Math.max(...trips)).toBeLessThanOrEqual(MOST_OF_SYNC);
});

test('a search takes as many round trips over 600 conversations as over 20', async () => {
  const searchIn = ({ caller }: UserWithPairs) => countTrips(() => search(caller, { query: 'mess 2' }));
  const [withFew, withMany] = [await searchIn(few), await searchIn(many)];
  expect(withMany).toMatchObject({ trips: withFew.trips, batches: withFew.batches });
});

test('a reading takes as many round trips however much is read', async () => {
  const readAll = async ({ caller, revs }: UserWithPairs) => {
    const [id] = Object.keys(revs) as [string];
    const { last_seq } = (await inbox.stored.conversations.findOne({ _id: id }))!;
    const recipient_id = id.split('-').find((user) => user !== caller.id)!;
    return countTrips(() => inbox.domain.handlers['message:read'](caller, { recipient_id, up_to_seq: last_seq }));
  };
  const [little, much] = [await readAll(few), await readAll(many)];
  expect(much).toMatchObject({ trips: little.trips, batches: 0 });
  expect(much.result).toEqual({ unread_count: 0 });
  expect(much.trips).toBeLessThanOrEqual(14);
});
