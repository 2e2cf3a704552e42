/** What rings and who asks becomes jobs for the sessions that are away, once, on a real database. */
import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { PushSubscriptionDocument } from '../../server/model/documents/push.ts';
import { install } from '../../server/model/install.ts';
import type { Knock } from '../../server/push/jobs/job-store.ts';
import { createContactRequests } from '../../server/push/sources/contact-requests.ts';
import { createRingingCalls } from '../../server/push/sources/ringing-calls.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
beforeAll(async () => {
  database = await startDatabase();
  client = await new MongoClient(database.url).connect();
  await install(client.db(), pino({ level: 'silent' }));
  stored = collections(client.db());
});
afterAll(async () => {
  await client?.close();
  await database?.stop();
});

const subscriptionOf = (user_id: ObjectId) =>
  ({ _id: new ObjectId(), session_id: new ObjectId(), user_id, provider: 'fcm' }) as PushSubscriptionDocument;

let users: ObjectId[];
let devices: PushSubscriptionDocument[];
let connected: Set<string>;
let knocks: Knock[];
let now: number;
/** Two users with two devices each. */
beforeEach(() => {
  users = [new ObjectId(), new ObjectId()];
  devices = users.flatMap((user) => [subscriptionOf(user), subscriptionOf(user)]);
  [connected, knocks, now] = [new Set(), [], Date.now()];
});

const options = () => ({
  collections: stored,
  jobs: { knock: async (some: readonly Knock[]) => void knocks.push(...some) },
  subscriptionsOf: async (ids: string[]) =>
    devices
      .filter(({ user_id }) => ids.includes(user_id.toHexString()))
      .map((subscription) => ({ subscription, lane: 'fcm' })),
  connectedOf: async () => connected,
  onStored() {},
  clock: () => new Date(now),
});
/** Which devices, and of what, since this was last asked. */
const knocked = () =>
  knocks.splice(0).map(({ subscription, subject }) => `${devices.indexOf(subscription as never)} ${subject}`);
const sessionOf = (device: number) => devices[device]!.session_id.toHexString();

describe('a call that rings', () => {
  it('is told of once to each device that is away, also to one that goes away while it rings', async () => {
    const _id = new ObjectId();
    const ringing_ids = [...users, new ObjectId()];
    await stored.calls.insertOne({
      ...{ _id, caller_id: new ObjectId(), call_type: 'voice', started_at: new Date(now), status: 'ringing' },
      ...{ is_open: true, ring_until: new Date(now + 45_000), ringing_ids },
    } as never);
    connected.add(sessionOf(1));
    const look = createRingingCalls(options());
    await look();
    expect(knocked()).toEqual([0, 2, 3].map((device) => `${device} ${_id}`));
    await look();
    expect(knocked()).toEqual([]);
    connected.clear();
    await look();
    expect(knocked()).toEqual([`1 ${_id}`]);
    now += 45_000;
    await look();
    expect(knocked()).toEqual([]);
  });
});

describe('a request', () => {
  const ask = async (user: ObjectId) => {
    const asking = new ObjectId();
    const at = new Date(now);
    await stored.contacts.insertOne({
      ...{ _id: new ObjectId(), user_id: user, contact_id: asking },
      ...{ direction: 'in', status: 'pending', created_at: at, updated_at: at },
    });
    return asking;
  };

  it('is told of once to each device that is away, and again by the node that looks next', async () => {
    const first = await ask(users[0]!);
    connected.add(sessionOf(0));
    const requests = createContactRequests(options());
    await requests.look();
    expect(knocked()).toEqual([`1 ${first}`]);
    now += 1000;
    const second = await ask(users[1]!);
    await requests.look();
    expect(knocked()).toEqual([`2 ${second}`, `3 ${second}`]);
    for (const ms of [1000, 30_000]) {
      now += ms;
      await requests.look();
      expect(knocked()).toEqual([]);
    }
    requests.restart();
    await requests.look();
    expect(knocked()).toEqual([`1 ${first}`, `2 ${second}`, `3 ${second}`]);
  });
});
