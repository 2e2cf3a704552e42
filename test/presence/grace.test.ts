/** Grace periods in fake time: nodes in this process, with devices and departures in memory, over a real database. */
import { MongoClient, ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createBus } from '../../server/bus/bus.ts';
import { createAudience } from '../../server/conversations/audience.ts';
import type { DeviceCaller } from '../../server/dispatch/caller.ts';
import { type Collections, collections } from '../../server/model/collections.ts';
import { pairId } from '../../server/model/conversation-ref.ts';
import type { UserDocument } from '../../server/model/documents/accounts.ts';
import type { ContactDocument } from '../../server/model/documents/contacts.ts';
import { createMemoryDepartures } from '../../server/presence/departures.ts';
import { createMemoryDevices } from '../../server/presence/devices.ts';
import { createPresence, type PresenceDomain } from '../../server/presence/presence.ts';
import type { Status } from '../../server/presence/status.ts';
import type { Presence } from '../../shared/contract/documents.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { uncached } from '../support/lookups.ts';

const GRACE_MS = 5000;
const SESSION = 'session';

let database: TestDatabase;
let client: MongoClient;
let stored: Collections;
const nodes: PresenceDomain[] = [];

beforeAll(async () => {
  database = await startDatabase();
  client = await MongoClient.connect(database.url);
  stored = collections(client.db());
  // Only what presence goes by: what runs in between is real.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => Promise.all(nodes.splice(0).map((node) => node.close())));
afterAll(async () => {
  vi.useRealTimers();
  await client.close();
  await database.stop();
});

interface Scene {
  userId: string;
  nodes: PresenceDomain[];
  /** What the user's contact was told, so far and from now on. */
  told: Presence[];
  connect(device: string, node?: PresenceDomain, info?: { platform: string }): void;
  disconnect(device: string, node?: PresenceDomain): void;
  set(device: string, status: Status): Promise<Presence>;
  /** Lets time pass, and everything be written that follows from that. */
  pass(ms: number): Promise<void>;
  /** The status that the contact sees. */
  shown(): Promise<string>;
}

/** A user with one contact, on as many nodes, which share everything. */
async function createScene({ nodeCount = 1, over = stored, status = undefined as Status | undefined } = {}) {
  const [user, contact] = [new ObjectId(), new ObjectId()];
  const [userId, contactId] = [user.toHexString(), contact.toHexString()];
  const created_at = new Date();
  await stored.users.insertMany([user, contact].map((_id) => ({ _id, created_at }) as UserDocument));
  await stored.contacts.insertOne({
    _id: new ObjectId(),
    user_id: contact,
    contact_id: user,
    pair: pairId(userId, contactId),
    status: 'accepted',
    created_at,
    updated_at: created_at,
  } satisfies ContactDocument);
  if (status) await stored.presence.insertOne({ _id: user, user_id: user, status, last_active: created_at });

  const told: Presence[] = [];
  const bus = createBus({
    publish(operation) {
      if (operation.kind !== 'event' || !('users' in operation.to) || !operation.to.users.includes(contactId)) return;
      told.push((operation.payload as { presence: Presence }).presence);
    },
    close: async () => {},
  });
  const shared = {
    collections: over,
    audience: createAudience(stored, uncached),
    devices: { ...createMemoryDevices(), isShared: nodeCount > 1 },
    departures: createMemoryDepartures(GRACE_MS),
    bus,
    graceMs: GRACE_MS,
    clock: () => new Date(),
    log: pino({ level: 'silent' }),
  };
  const own = Array.from({ length: nodeCount }, () => createPresence(shared));
  nodes.push(...own);
  const [first] = own as [PresenceDomain];
  const caller = (id: ObjectId, socketId: string): DeviceCaller => ({
    userId: id,
    id: id.toHexString(),
    sessionId: SESSION,
    socketId,
    inTurn: async (prepare, act) => act(await prepare),
  });
  /** Waits for the user's work that is queued on each node. */
  const get = async (node: PresenceDomain) =>
    (await node.handlers['presence:get'](caller(contact, 'contact'), { user_ids: [userId] })).presences[0]!;
  const scene: Scene = {
    userId,
    nodes: own,
    told,
    connect: (device, node = first, info) => node.connected(userId, SESSION, device, info),
    disconnect: (device, node = first) => node.disconnected(userId, SESSION, device),
    set: async (device, wanted) =>
      (await first.handlers['presence:set'](caller(user, device), { status: wanted })).presence,
    async pass(ms) {
      for (const node of own) await get(node);
      await vi.advanceTimersByTimeAsync(ms);
      for (const node of own) await get(node);
    },
    shown: async () => (await get(first)).status,
  };
  return scene;
}

const statuses = (told: Presence[]) => told.map((presence) => presence.status);

describe('the grace period', () => {
  it('ends with the user offline, and seen last at its end', async () => {
    const { userId, told, connect, disconnect, pass, shown } = await createScene();
    connect('phone');
    expect(await shown()).toBe('online');
    disconnect('phone');
    await pass(GRACE_MS - 1);
    expect(await shown()).toBe('online');
    await pass(1);
    expect(statuses(told)).toEqual(['online', 'offline']);
    const now = new Date();
    expect(told[1]!.last_active).toBe(now.toISOString());
    expect((await stored.users.findOne({ _id: new ObjectId(userId) }))!.last_seen).toEqual(now);
  });

  it('hides a reconnection, which keeps the status that was set', async () => {
    const { told, connect, disconnect, set, pass, shown } = await createScene();
    connect('phone');
    await set('phone', 'away');
    told.length = 0;
    disconnect('phone');
    await pass(GRACE_MS / 2);
    connect('phone again');
    await pass(3 * GRACE_MS);
    expect(told).toEqual([]);
    expect(await shown()).toBe('away');
  });

  it('hides a reconnection of a user who appears offline, even if the device says what it is', async () => {
    const { told, connect, disconnect, set, pass } = await createScene();
    const info = { platform: 'web' };
    connect('phone', undefined, info);
    await set('phone', 'offline');
    expect(told.map(({ status, device_info }) => ({ status, device_info }))).toEqual([
      { status: 'online', device_info: info },
      { status: 'offline', device_info: info },
    ]);
    told.length = 0;
    disconnect('phone');
    await pass(GRACE_MS / 2);
    connect('phone again', undefined, info);
    await pass(3 * GRACE_MS);
    expect(told).toEqual([]);
  });

  it('begins with the last of several disconnections', async () => {
    const { told, connect, disconnect, set, pass, shown } = await createScene();
    connect('phone');
    await set('phone', 'busy');
    told.length = 0;
    disconnect('phone');
    await pass(GRACE_MS - 1000);
    connect('phone again');
    await pass(500);
    disconnect('phone again');
    // The grace period of the first disconnection is over then, that of the second is not.
    await pass(GRACE_MS - 1);
    expect(told).toEqual([]);
    connect('phone once more');
    await pass(3 * GRACE_MS);
    expect(told).toEqual([]);
    expect(await shown()).toBe('busy');
  });

  it('ends unnoticed for a user who appears offline, who was last seen when that began', async () => {
    const { userId, told, connect, disconnect, set, pass } = await createScene();
    connect('phone');
    await set('phone', 'offline');
    const since = new Date();
    told.length = 0;
    await pass(1000);
    disconnect('phone');
    await pass(3 * GRACE_MS);
    expect(told).toEqual([]);
    expect((await stored.users.findOne({ _id: new ObjectId(userId) }))!.last_seen).toEqual(since);
  });

  it('is granted to users whom an earlier run left online', async () => {
    const { told, pass, shown } = await createScene({ status: 'online' });
    await pass(GRACE_MS - 1);
    expect(await shown()).toBe('online');
    await vi.advanceTimersByTimeAsync(1);
    const now = new Date();
    // These users are searched for outside of anybody's turn, and `expect.poll` would let time pass.
    while (told.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(told.map(({ status, last_active }) => [status, last_active])).toEqual([['offline', now.toISOString()]]);
  });

  it('is granted in full to users who leave soon after a start', async () => {
    const { told, connect, disconnect, pass } = await createScene({ status: 'online' });
    connect('phone');
    await pass(GRACE_MS / 2);
    disconnect('phone');
    await pass(GRACE_MS - 1);
    expect(told).toEqual([]);
    await pass(1);
    expect(statuses(told)).toEqual(['offline']);
  });
});

describe('the grace period over nodes', () => {
  it('hides connections that move from node to node', async () => {
    const { nodes, told, connect, disconnect, set, pass, shown } = await createScene({ nodeCount: 2 });
    const [one, two] = nodes as [PresenceDomain, PresenceDomain];
    connect('phone', one);
    await set('phone', 'offline');
    told.length = 0;
    disconnect('phone', one);
    await pass(0);
    connect('phone again', two);
    await pass(GRACE_MS - 300);
    disconnect('phone again', two);
    await pass(0);
    connect('phone once more', one);
    await pass(2 * GRACE_MS);
    expect(told).toEqual([]);
    expect(await shown()).toBe('offline');
  });

  it('begins when the user leaves the last node', async () => {
    const { nodes, told, connect, disconnect, pass } = await createScene({ nodeCount: 2 });
    const [one, two] = nodes as [PresenceDomain, PresenceDomain];
    connect('phone', one);
    await pass(0);
    told.length = 0;
    disconnect('phone', one);
    await pass(GRACE_MS - 500);
    connect('phone again', two);
    await pass(300);
    disconnect('phone again', two);
    // The node that was left first must not take the user for gone: another one has seen the user since.
    await pass(GRACE_MS - 1);
    expect(told).toEqual([]);
    await pass(1);
    expect(statuses(told)).toEqual(['offline']);
  });
});

it('presence that could not be stored is stored when the store is back', async () => {
  let isAway = true;
  const presence = Object.create(stored.presence) as Collections['presence'];
  presence.bulkWrite = (...args) =>
    isAway ? Promise.reject(new Error('the store is away')) : stored.presence.bulkWrite(...args);
  const { told, connect, pass, shown } = await createScene({ over: { ...stored, presence } });
  connect('phone');
  expect(await shown()).toBe('offline');
  isAway = false;
  await pass(2000);
  expect(await shown()).toBe('online');
  expect(statuses(told)).toEqual(['online']);
});
