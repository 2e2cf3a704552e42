/**
 * Four users do whatever they can at random while one device drops and returns: what it has built from events and
 * `sync` must equal what a device has that never left, and what is in the database. `LONG=1` runs it 300 times.
 */
import fc from 'fast-check';
import { MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Collections, collections } from '../../server/model/collections.ts';
import type { MessageDocument } from '../../server/model/documents.ts';
import { toWireMessage } from '../../server/model/views/message.ts';
import { type Account, connect, type Device, registerMany, settle } from '../support/client.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { comparable, createReplica, type ReplicaState } from './replica.ts';

const RUNS = process.env.LONG ? 300 : 30;
const USERS = 4;
const GROUPS = 2;

let database: TestDatabase;
let server: TestServer;
let client: MongoClient;
let stored: Collections;
beforeAll(async () => {
  database = await startDatabase();
  server = await startServer({ env: { MONGODB_URL: database.url } });
  client = await new MongoClient(database.url).connect();
  stored = collections(client.db('letsapp'));
});
afterAll(async () => {
  await client.close();
  await server.stop();
  await database.stop();
});

const user = fc.nat({ max: USERS - 1 });
const chat = fc.oneof(
  user.map((peer) => ({ peer })),
  fc.nat({ max: GROUPS - 1 }).map((group) => ({ group })),
);
const pick = fc.nat({ max: 1_000_000 });
const operation = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('send' as const), user, chat, pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('edit' as const), user, pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), user, pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('react' as const), user, pick, remove: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), user, chat, pick }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delivered' as const), user, chat, pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pin' as const), user, chat, pick }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('join' as const, 'join' as const, 'remove' as const, 'leave' as const),
      user,
      other: user,
      group: fc.nat({ max: GROUPS - 1 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('block' as const, 'unblock' as const), user, other: user }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('drop or return' as const),
      limit: fc.constantFrom(1, 3, 20, 500),
      useSince: fc.boolean(),
    }),
  },
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
type Chat = { peer: number } | { group: number };

/** Refusals that random operations run into. */
const EXPECTED = new Set(['forbidden', 'not_found', 'conflict', 'validation_failed']);

test(
  `a device that drops and returns misses nothing (${RUNS} runs)`,
  async () => {
    await fc.assert(
      // How many operations are under way at once.
      fc.asyncProperty(
        fc.array(operation, { minLength: 120, maxLength: 240 }),
        fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 10 }),
        async (operations, bursts) => {
          const world = await createWorld();
          try {
            for (let at = 0, i = 0; at < operations.length; i++) {
              const size = bursts[i % bursts.length]!;
              await Promise.all(operations.slice(at, at + size).map((one) => world.carryOut(one)));
              at += size;
            }
            await world.compare();
          } finally {
            world.close();
          }
        },
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  RUNS * 10_000,
);

async function createWorld() {
  const accounts = await registerMany(server.url, USERS);
  const devices = await Promise.all(accounts.map((account) => connect(server.url, account)));
  const watched = accounts[0]!;
  const groups: string[] = [];
  for (let i = 0; i < GROUPS; i++) {
    const { group } = await devices[i]!.ok('group:create', {
      name: `G${i}`,
      member_ids: accounts.filter((_, member) => member !== i).map((account) => account.id),
    });
    groups.push(group._id);
  }
  const steady = createReplica(watched.id, true);
  const flaky = createReplica(watched.id, false);
  const steadyDevice = await connect(server.url, watched);
  steady.attach(steadyDevice);
  await steady.sync(steadyDevice, 500, false);
  let flakyDevice: Device | undefined;

  async function comeBack(limit: number, useSince: boolean): Promise<void> {
    flakyDevice = await connect(server.url, watched);
    flaky.attach(flakyDevice);
    await flaky.sync(flakyDevice, limit, useSince);
  }
  await comeBack(500, false);

  const sent: string[] = [];
  const newest = new Map<string, number>();

  const target = (from: number, to: Chat) => {
    if ('group' in to) return { group_id: groups[to.group]! };
    return { recipient_id: accounts[to.peer === from ? (to.peer + 1) % USERS : to.peer]!.id };
  };
  const placeOf = (from: number, to: Chat) =>
    JSON.stringify('group' in to ? to.group : [from, target(from, to).recipient_id].sort());

  async function attempt(work: Promise<{ ok: boolean; error?: { code: string } | undefined }>): Promise<void> {
    const { ok, error } = await work;
    if (!ok && !EXPECTED.has(error!.code)) throw new Error(JSON.stringify(error));
  }

  async function carryOut(operation: Operation): Promise<void> {
    if (operation.do === 'drop or return') {
      if (!flakyDevice) return comeBack(operation.limit, operation.useSince);
      flaky.detach();
      flakyDevice.close();
      flakyDevice = undefined;
      return;
    }
    const device = devices[operation.user]!;
    const message_id = () => sent[(operation as { pick: number }).pick % sent.length]!;
    switch (operation.do) {
      case 'send': {
        const to = target(operation.user, operation.chat);
        const answer = await device.raw('message:send', { ...to, content: `text ${operation.pick}` });
        if (answer.ok) {
          const { message } = answer.data as { message: { _id: string; seq: number } };
          sent.push(message._id);
          const place = placeOf(operation.user, operation.chat);
          newest.set(place, Math.max(newest.get(place) ?? 0, message.seq));
        }
        return attempt(Promise.resolve(answer));
      }
      case 'edit':
        if (sent.length === 0) return;
        return attempt(device.raw('message:edit', { message_id: message_id(), content: `edit ${operation.pick}` }));
      case 'delete':
        if (sent.length === 0) return;
        return attempt(device.raw('message:delete', { message_id: message_id() }));
      case 'react':
        if (sent.length === 0) return;
        return attempt(
          device.raw('message:react', { message_id: message_id(), emoji: '👍', remove: operation.remove }),
        );
      case 'read':
      case 'delivered': {
        const last = newest.get(placeOf(operation.user, operation.chat)) ?? 0;
        const up_to_seq = operation.pick % (last + 1);
        return attempt(device.raw(`message:${operation.do}`, { ...target(operation.user, operation.chat), up_to_seq }));
      }
      case 'pin': {
        const pinned = operation.pick % 2 === 0;
        return attempt(device.raw('conversation:update', { ...target(operation.user, operation.chat), pinned }));
      }
      case 'join':
        return attempt(
          device.raw('group:add_members', {
            group_id: groups[operation.group]!,
            user_ids: [accounts[operation.other]!.id],
          }),
        );
      case 'remove':
        return attempt(
          device.raw('group:remove_member', {
            group_id: groups[operation.group]!,
            user_id: accounts[operation.other]!.id,
          }),
        );
      case 'leave':
        return attempt(device.raw('group:leave', { group_id: groups[operation.group]! }));
      case 'block':
      case 'unblock':
        return attempt(device.raw(`contact:${operation.do}`, { user_id: accounts[operation.other]!.id }));
    }
  }

  return {
    carryOut,
    async compare() {
      if (!flakyDevice) await comeBack(20, true);
      await settle(steadyDevice, flakyDevice!, ...devices);
      const places = await stored.memberships.find({ user_id: new ObjectId(watched.id) }).toArray();
      const fromSeq = new Map(places.map((place) => [place.conversation_id, place.from_seq]));
      const kept = steady.state(new Map());
      expect(flaky.state(fromSeq)).toEqual(kept);
      const { conversations } = await steadyDevice.ok('conversation:list', { limit: 100 });
      const listed = conversations.filter((one) => one.last_message);
      expect(Object.fromEntries(listed.map((one) => [one.conversation_id, one.unread_count]))).toEqual(
        Object.fromEntries(Object.entries(kept).map(([id, { unread }]) => [id, unread])),
      );
      for (const [id, { messages, progress }] of Object.entries(kept)) {
        const documents = await visibleTo(watched, id);
        expect(messages).toEqual(documents.map((document) => comparable(toWireMessage(document))));
        if (progress.length > 0) assertFollowed(documents, watched, progress);
      }
      expect(Object.keys(kept).sort()).toEqual((await conversationsOf(watched)).sort());
    },
    close() {
      for (const device of [...devices, steadyDevice, ...(flakyDevice ? [flakyDevice] : [])]) device.close();
    },
  };
}

/** The visible messages of a conversation by the database itself. */
async function visibleTo(account: Account, id: string): Promise<MessageDocument[]> {
  const membership = await stored.memberships.findOne({ user_id: new ObjectId(account.id), conversation_id: id });
  const collection = id.includes('-') ? stored.messages : stored.group_messages;
  const found = await collection.find({ conversation_id: id, seq: { $gt: membership!.from_seq } }).toArray();
  return (found as MessageDocument[]).sort((one, other) => one.seq - other.seq);
}

/** The conversations of a user in which anything is visible, by the database itself. */
async function conversationsOf(account: Account): Promise<string[]> {
  const _id = new ObjectId(account.id);
  const [pairs, groups] = await Promise.all([
    stored.messages.distinct('conversation_id', { $or: [{ sender_id: _id }, { recipient_id: _id }] }),
    stored.groups.find({ members: _id, is_active: true }).toArray(),
  ]);
  const visible = await Promise.all(
    groups.map(async (group) => ((await visibleTo(account, group._id.toHexString())).length > 0 ? group : undefined)),
  );
  return [...pairs, ...visible.flatMap((group) => group?._id.toHexString() ?? [])];
}

/** The stored statuses never say more than the marks; they may say less of what was read under a block. */
function assertFollowed(documents: MessageDocument[], sender: Account, progress: ReplicaState['progress']): void {
  const order = ['sent', 'delivered', 'read'];
  const statuses = documents
    .filter((document) => document.sender_id.toHexString() === sender.id)
    .map((document) => ('status' in document ? document.status : 'sent'));
  statuses.forEach((status, i) => {
    expect(order.indexOf(status)).toBeLessThanOrEqual(order.indexOf(progress[i]!));
  });
}
