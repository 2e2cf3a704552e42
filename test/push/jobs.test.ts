/** Jobs of push on a real database, with a clock of the test: leases, waits and ends, whichever node does what. */
import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { PushJobDocument, PushSubscriptionDocument } from '../../server/model/documents/push.ts';
import { install } from '../../server/model/install.ts';
import type { Decided } from '../../server/push/decide/decide.ts';
import type { Decision } from '../../server/push/decide/decision.ts';
import { type Counted, createAttempt } from '../../server/push/jobs/attempt.ts';
import { createPushJobStore, type PushJobStore } from '../../server/push/jobs/job-store.ts';
import { createLanes } from '../../server/push/jobs/lanes.ts';
import type { Outcome } from '../../server/push/providers/provider.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

const log = pino({ level: 'silent' });

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
let jobs: PushJobStore;
let now: number;
const clock = () => new Date(now);
beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url).connect();
  await install(client.db(), log);
  stored = collections(client.db());
  jobs = createPushJobStore(stored, clock);
});
afterAll(async () => {
  await client?.close();
  await database?.stop();
});

let subscription: PushSubscriptionDocument;
beforeEach(async () => {
  now = Date.now();
  await stored.push_jobs.deleteMany({});
  const at = clock();
  subscription = {
    ...{ _id: new ObjectId(), session_id: new ObjectId(), user_id: new ObjectId(), provider: 'webpush', address: 'a' },
    ...{ key: new ObjectId().toHexString(), created_at: at, named_at: at, since: at },
  };
  await stored.push_subscriptions.insertOne(subscription);
});

const knock = (subject = 'a-b', rev = 1) =>
  jobs.knock([{ subscription, lane: 'lane', kind: 'conversation', subject, dueAt: clock(), rev }]);
const claim = (store = jobs) => store.claim(100, [], () => 100);
const job = () => stored.push_jobs.findOne({});

/** Claims what is due and has the provider answer so. @returns what was counted */
async function attempt(outcome: Outcome, decision: Partial<Decision> = {}): Promise<Counted[]> {
  const counted: Counted[] = [];
  const attemptOne = createAttempt({
    ...{ collections: stored, jobs, clock, log },
    providerOf: () => ({ send: async () => outcome, laneOf: () => 'lane', close: () => {} }),
    count: (_provider, what) => void counted.push(what),
  });
  const pushed = {
    kind: 'push',
    push: {},
    noted: { told: 1, shown: 1 },
    unsure: { shown: 1 },
    ...decision,
  } as Decision;
  for (const one of await claim()) {
    const found = { job: one, subscription, decision: pushed, wantsPush: true, isConnected: false };
    await attemptOne(found satisfies Decided);
  }
  return counted;
}

describe('a claim', () => {
  it('of a node that died is taken over within a minute, by one of those who look', async () => {
    await knock();
    const [first] = await claim();
    expect(first).toMatchObject({ claims: 1 });
    const others = [createPushJobStore(stored, clock), createPushJobStore(stored, clock)];
    expect((await Promise.all(others.map(claim))).flat()).toEqual([]);
    now += 59_000;
    const taken = (await Promise.all([...others, ...others].map(claim))).flat();
    expect(taken).toMatchObject([{ claims: 2 }]);
    // The dead node was only slow: what it says now changes nothing.
    await jobs.done(first!, { told: 5 });
    expect(await job()).toMatchObject({ claim: taken[0]!.claim });
    expect(await job()).not.toHaveProperty('told');
  });

  it('that ends is due again at once where something has happened meanwhile', async () => {
    await knock();
    const [one] = await claim();
    await knock('a-b', 2);
    await jobs.done(one!, { told: 1 });
    expect(await claim()).toMatchObject([{ told: 1, rev: 2 }]);
  });
});

describe('a push that is not taken', () => {
  const retry: Outcome = { kind: 'retry', reason: '503' };

  it('goes again after a second, then after twice as long each time, up to ten minutes', async () => {
    await knock();
    const waits: number[] = [];
    for (let i = 0; i < 12; i++) {
      expect(await attempt(retry)).toEqual(['retry']);
      const { due_at } = (await job())!;
      waits.push((due_at!.getTime() - now) / 1000);
      now = due_at!.getTime();
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]);
    expect(await attempt({ kind: 'ok' })).toEqual(['ok']);
    expect(await job()).toMatchObject({ attempts: 0, told: 1, shown: 1 });
  });

  it('waits as long as the provider asks, and a second at least; what happens meanwhile does not shorten that', async () => {
    await knock();
    await attempt({ ...retry, afterMs: 7_200_000 } as Outcome);
    await knock('a-b', 2);
    now += 7_199_000;
    expect(await claim()).toEqual([]);
    now += 1000;
    await attempt({ ...retry, afterMs: 0 } as Outcome);
    expect((await job())!.due_at).toEqual(new Date(now + 1000));
  });

  it('is given up after a day, and what comes later is tried anew', async () => {
    await knock();
    const began = now;
    let counted: Counted[] = [];
    while (!counted.includes('refused')) {
      counted = await attempt({ ...retry, afterMs: 3_600_000 } as Outcome);
      if (!counted.includes('refused')) now = (await job())!.due_at!.getTime();
    }
    expect(now - began).toBeGreaterThanOrEqual(23 * 3_600_000);
    expect(now - began).toBeLessThanOrEqual(24 * 3_600_000);
    expect(await job()).toMatchObject({ attempts: 0, told: 1 });
    for (const field of ['due_at', 'shown', 'failing_since']) expect(await job()).not.toHaveProperty(field);
    await knock('a-b', 2);
    expect(await claim()).toHaveLength(1);
  });

  it('is not given up with what waited before it', async () => {
    await knock();
    await attempt({ ...retry, afterMs: 23 * 3_600_000 } as Outcome);
    now = (await job())!.due_at!.getTime();
    const later: Outcome = { ...retry, afterMs: 3_600_000 } as Outcome;
    const at = clock();
    for (let i = 0; i < 23; i++) {
      expect(await attempt(later, { at })).toEqual(['retry']);
      now = (await job())!.due_at!.getTime();
    }
    now += 1;
    expect(await attempt(later, { at })).toEqual(['refused']);
  });

  it('may be shown where no answer came, and where it is refused the device shows what it showed before', async () => {
    await knock();
    await attempt({ ...retry, isUnanswered: true } as Outcome);
    expect(await job()).toMatchObject({ shown: 1 });
    now += 1000;
    const thread = new ObjectId();
    await stored.push_jobs.updateOne({}, { $set: { shown: 3, shown_thread: thread } });
    expect(await attempt({ kind: 'refused', reason: '400' }, { noted: { told: 4, shown: 4 } })).toEqual(['refused']);
    expect(await job()).toMatchObject({ told: 4, shown: 3, shown_thread: thread });
  });
});

describe('a device that its provider does not know', () => {
  const gone: Outcome = { kind: 'gone', reason: '410' };
  const count = () => stored.push_subscriptions.countDocuments({ _id: subscription._id });

  it('loses its subscription, with all that waits for it', async () => {
    await knock();
    await knock('a-c');
    await attempt(gone);
    expect([await count(), await stored.push_jobs.countDocuments()]).toEqual([0, 0]);
  });

  it('keeps it where it was named again meanwhile, and the push goes again', async () => {
    await knock();
    await stored.push_subscriptions.updateOne({ _id: subscription._id }, { $set: { named_at: new Date(now + 1) } });
    await attempt(gone);
    expect(await count()).toBe(1);
    now += 1000;
    expect(await claim()).toHaveLength(1);
  });
});

it('what was read is looked at, in the conversation or in the thread, and nothing else', async () => {
  const rootId = new ObjectId();
  for (const subject of ['a-b', 'a-c', 'a-d']) await knock(subject);
  for (const one of await claim()) {
    const shown_thread = one.subject === 'a-d' ? undefined : rootId;
    await jobs.done(one, one.subject === 'a-c' ? {} : { shown: 1, shown_thread });
  }
  const due = async () => (await claim()).map(({ subject }: PushJobDocument) => subject);
  await jobs.knockShown([{ userId: subscription.user_id, rootId }]);
  expect(await due()).toEqual(['a-b']);
  await jobs.knockShown([
    { userId: subscription.user_id, conversationId: 'a-c' },
    { userId: subscription.user_id, conversationId: 'a-d' },
  ]);
  expect(await due()).toEqual(['a-d']);
});

describe('a lane', () => {
  it('that fails has little room until it answers; what was not asked says nothing', () => {
    const lanes = createLanes();
    const all = lanes.roomOf('one');
    lanes.begin('one');
    expect(lanes.roomOf('one')).toBe(all - 1);
    lanes.end('one', false);
    const few = lanes.roomOf('one');
    expect(few).toBeLessThan(all / 10);
    lanes.begin('one');
    lanes.end('one', undefined);
    expect(lanes.roomOf('one')).toBe(few);
    expect(lanes.roomOf('other')).toBe(all);
    for (let i = 0; i < few; i++) lanes.begin('one');
    expect(lanes.full()).toEqual(['one']);
    lanes.end('one', true);
    expect(lanes.roomOf('one')).toBe(all - few + 1);
  });
});
