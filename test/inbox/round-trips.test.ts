/** How many commands reach the database, counted by the driver's monitoring. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Caller } from '../../server/dispatch/caller.ts';
import { createSearch } from '../../server/messages/search.ts';
import { type Inbox, openInbox } from './in-process.ts';
import { createUserWithPairs, type UserWithPairs } from './many-conversations.ts';

const MANY = 2000;
const MISSED = 5000;

let inbox: Inbox;
let search: ReturnType<typeof createSearch>;
let few: UserWithPairs;
let many: UserWithPairs;

beforeAll(async () => {
  inbox = await openInbox();
  search = createSearch(inbox.store, inbox.access, inbox.domain.scopesOf, () => false);
  few = await createUserWithPairs(inbox.stored, 20, 40);
  many = await createUserWithPairs(inbox.stored, MANY, MISSED);
});
afterAll(() => inbox.close());

/** Counts the round trips of work; `batches` are those for further batches of a cursor. */
async function countTrips<R>(work: () => R | Promise<R>): Promise<{ result: R; trips: number; batches: number }> {
  inbox.commands.length = 0;
  const result = await work();
  const batches = inbox.commands.filter((name) => name === 'getMore').length;
  return { result, trips: inbox.commands.length - batches, batches };
}

test('a page of conversation:list takes as many round trips with 2,000 conversations as with 20', async () => {
  const list = (caller: Caller, payload: { limit: number; cursor?: string }) =>
    countTrips(() => inbox.domain.handlers['conversation:list'](caller, payload));
  const withFew = await list(few.caller, { limit: 10 });
  const withMany = await list(many.caller, { limit: 10 });
  expect(withMany.result.conversations).toHaveLength(10);
  expect(withMany).toMatchObject({ trips: withFew.trips, batches: 0 });
  const next = await list(many.caller, { limit: 100, cursor: withMany.result.cursor! });
  expect(next).toMatchObject({ trips: withFew.trips, batches: 0 });
  expect(withFew.trips).toBeLessThanOrEqual(8);
});

/** Repeats `sync` until nothing is missing, and counts the round trips of each. */
async function syncAll({ caller, revs }: UserWithPairs, withCursor: boolean) {
  const conversations = { ...revs };
  const since = new Date(Date.now() - 3_600_000).toISOString();
  const trips: number[] = [];
  const batches: number[] = [];
  let messages = 0;
  let cursor: string | undefined;
  for (let hasMore = true; hasMore; ) {
    const payload = { conversations, since, ...(withCursor && cursor ? { cursor } : {}) };
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

test.each([
  ['without the cursor', false],
  ['by the cursor', true],
])(
  'a sync %s takes as many round trips with 5,000 messages missed in 2,000 conversations as with 40 in 20',
  async (_how, withCursor) => {
    const withFew = await syncAll(few, withCursor);
    expect(withFew).toMatchObject({ messages: 40, trips: [expect.any(Number)], batches: [0] });
    const withMany = await syncAll(many, withCursor);
    expect(withMany.messages).toBe(MISSED);
    expect(withMany.trips).toHaveLength(MISSED / 500);
    expect(Math.max(...withMany.trips)).toBe(withFew.trips[0]);
    // 500 messages are read in two batches, so that less is read in vain where they are large.
    expect(Math.max(...withMany.batches)).toBeLessThanOrEqual(1);
    expect(withFew.trips[0]).toBeLessThanOrEqual(15);
  },
);

test('a search takes as many round trips over 2,000 conversations as over 20', async () => {
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
