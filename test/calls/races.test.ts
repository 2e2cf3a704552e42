/** Two nodes over one database: whatever races, exactly one wins, and what is told ends in what is stored. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CallDomain, createCallDomain } from '../../server/calls/domain.ts';
import { connect, type Database } from '../../server/model/connect.ts';
import type { CallDocument } from '../../server/model/documents/calls.ts';
import { ContractError } from '../../server/lib/errors.ts';
import type { Bus } from '../../server/bus/bus.ts';
import type { DeviceCaller } from '../../server/dispatch/caller.ts';
import { pairId } from '../../server/model/conversation-ref.ts';
import { startDatabase, type TestDatabase } from '../support/database.ts';
import { createAccessRules } from '../../server/conversations/access-rules.ts';
import { createVisibility } from '../../server/conversations/visibility.ts';

const RING_MS = 2000;
const GRACE_MS = 500;
const config = {
  callRingTimeoutMs: RING_MS,
  callReconnectGraceMs: GRACE_MS,
  groupCallMax: 8,
  iceServers: [],
  turnUrls: [],
  turnSecret: undefined,
};

let database: TestDatabase;
const connections: Database[] = [];
const domains: CallDomain[] = [];
const dead = new Set<string>();
const gone = new Set<string>();
/** The states that were told of each call. */
const told = new Map<string, Set<string>>();

const bus = {
  emit(_to, _event, payload) {
    if (!('call' in payload)) return;
    const { _id, status } = payload.call;
    told.set(_id, (told.get(_id) ?? new Set()).add(status));
  },
} as Pick<Bus, 'emit'> as Bus;

beforeAll(async () => {
  database = await startDatabase();
  for (const id of ['node-1', 'node-2']) {
    const connection = await connect(database.url);
    connections.push(connection);
    domains.push(
      createCallDomain({
        collections: connection.collections,
        bus,
        access: createAccessRules(connection.collections, createVisibility(false)),
        nodes: { id, deadAmong: async (ids) => ids.filter((each) => dead.has(each)), close: async () => {} },
        isConnected: (socketId) => !gone.has(socketId),
        config,
        clock: () => new Date(),
        log: pino({ level: 'silent' }),
      }),
    );
  }
});
afterAll(async () => {
  await Promise.all(domains.map((domain) => domain.close()));
  await Promise.all(connections.map((connection) => connection.close()));
  await database.stop();
});

const calls = () => connections[0]!.collections.calls;

interface TestDevice extends DeviceCaller {
  node: CallDomain;
}

/** A user with a device on each node. */
async function user(): Promise<[TestDevice, TestDevice]> {
  const _id = new ObjectId();
  const name = randomBytes(8).toString('hex');
  const now = new Date();
  await connections[0]!.collections.users.insertOne({
    _id,
    username: name,
    username_key: name,
    email: `${name}@example.test`,
    email_key: `${name}@example.test`,
    password: '-',
    password_history: [],
    last_password_change: now,
    full_name: null,
    full_name_key: '',
    profile_picture: null,
    bio: '',
    settings: {},
    created_at: now,
    updated_at: now,
    last_seen: now,
    is_active: true,
  });
  return domains.map((node) => ({
    userId: _id,
    id: _id.toHexString(),
    sessionId: '',
    socketId: randomBytes(8).toString('hex'),
    inTurn: async <P, R>(prepare: Promise<P>, act: (prepared: P) => Promise<R>) => act(await prepare),
    node,
  })) as [TestDevice, TestDevice];
}

const initiate = async (device: TestDevice, recipient: TestDevice) =>
  device.node.handlers['call:initiate'](device, { recipient_id: recipient.id, call_type: 'voice' });

type Step = 'ringing' | 'accept' | 'reject' | 'join' | 'leave';
const act = async (device: TestDevice, step: Step, call_id: string) =>
  device.node.handlers[`call:${step}`](device, { call_id });

/** `ok`, or the code of the refusal. Anything else is a bug. */
async function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'ok',
    (error: unknown) => {
      if (error instanceof ContractError) return error.code;
      throw error;
    },
  );
}

const stored = async (id: string): Promise<CallDocument> => (await calls().findOne({ _id: new ObjectId(id) }))!;

describe('of what races on two nodes', () => {
  it('one device accepts, the other gets conflict', async () => {
    const [[a], b] = [await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const { call } = await initiate(a, b[0]);
      const outcomes = await Promise.all(b.map((device) => outcome(act(device, 'accept', call._id))));
      expect(outcomes.sort()).toEqual(['conflict', 'ok']);
      await act(a, 'leave', call._id);
    }
  });

  it('one of accepting, rejecting and giving up decides', async () => {
    const [a, b] = [await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const { call } = await initiate(a[0], b[0]);
      const steps = [
        outcome(act(b[0], 'accept', call._id)),
        outcome(act(b[1], 'reject', call._id)),
        outcome(act(a[1], 'leave', call._id)),
      ];
      const [accepted, rejected] = await Promise.all(steps);
      const { status } = await stored(call._id);
      if (status === 'rejected') expect([accepted, rejected]).toEqual(['conflict', 'ok']);
      else if (status === 'missed') expect([accepted, rejected]).toEqual(['conflict', 'conflict']);
      else expect([accepted, rejected, status]).toEqual(['ok', 'conflict', 'ended']);
      expect([...told.get(call._id)!]).toContain(status);
    }
  });

  it('one user ends up in one call, whichever two are accepted at once', async () => {
    const [[a], [b], c] = [await user(), await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const both = await Promise.all([initiate(a, c[0]), initiate(b, c[0])]);
      const outcomes = await Promise.all(both.map(({ call }, i) => outcome(act(c[i]!, 'accept', call._id))));
      expect(outcomes.sort()).toEqual(['busy', 'ok']);
      await Promise.all([act(a, 'leave', both[0].call._id), act(b, 'leave', both[1].call._id)]);
    }
  });

  it('one of two who call each other is told of the other’s call', async () => {
    const [a, b] = [await user(), await user()];
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.all([outcome(initiate(a[0], b[1])), outcome(initiate(b[1], a[0]))]);
      expect(outcomes.sort()).toEqual(['conflict', 'ok']);
      const open = await calls().findOne({ is_open: true, conversation_id: pairId(a[0].id, b[0].id) });
      await act(open!.caller_id.equals(a[0].userId) ? a[0] : b[1], 'leave', open!._id.toHexString());
    }
  });
});

describe('of a node that dies', () => {
  it('the others give its participants their grace, and end the call', async () => {
    const [a, b] = [await user(), await user()];
    const { call } = await initiate(a[0], b[1]);
    await act(b[1], 'accept', call._id);
    dead.add('node-1');
    await expect.poll(async () => (await stored(call._id)).status, { timeout: 10_000 }).toBe('ended');
    dead.delete('node-1');
    await expect.poll(() => [...told.get(call._id)!]).toContain('ended');
  });

  it('the caller’s call rings no longer than the grace', async () => {
    const [a, b] = [await user(), await user()];
    const { call } = await initiate(a[0], b[1]);
    dead.add('node-1');
    await expect.poll(async () => (await stored(call._id)).status, { timeout: 10_000 }).toBe('missed');
    dead.delete('node-1');
  });
});

describe('of a connection whose loss was not noted', () => {
  it('the seat is found by the next comparison with the sockets', async () => {
    const [a, b] = [await user(), await user()];
    const { call } = await initiate(a[0], b[1]);
    await act(b[1], 'accept', call._id);
    gone.add(b[1].socketId);
    await expect.poll(async () => (await stored(call._id)).status, { timeout: 15_000 }).toBe('ended');
  });

  it('nor does a device that is gone before its command is carried out hold a call', async () => {
    const [a, b] = [await user(), await user()];
    gone.add(a[0].socketId);
    const { call } = await initiate(a[0], b[1]);
    await expect.poll(async () => (await stored(call._id)).status, { timeout: 10_000 }).toBe('missed');
    expect((await stored(call._id)).ended_at!.getTime() - (await stored(call._id)).started_at.getTime()).toBeLessThan(
      RING_MS,
    );
  });
});

describe('under random commands at once', () => {
  const device = fc.record({ user: fc.nat(2), node: fc.nat(1) });
  const command = fc.record({
    device,
    step: fc.constantFrom<('initiate' | 'disconnect' | Step)[]>(
      ...(['initiate', 'initiate', 'ringing', 'accept', 'accept', 'reject', 'join', 'leave', 'disconnect'] as const),
    ),
    other: fc.nat(2),
    which: fc.nat(3),
  });

  it('nobody is in two calls, final states stay, and all comes to an end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(command, { minLength: 1, maxLength: 5 }), { maxLength: 10 }),
        async (batches) => {
          const users = await Promise.all([user(), user(), user()]);
          const ids = users.map(([first]) => first.userId);
          const ours = () =>
            calls()
              .find({ party_ids: { $in: ids } })
              .sort({ started_at: 1 })
              .toArray();
          const finals = new Map<string, string>();
          const check = async () => {
            const found = await ours();
            const seated = found.flatMap((call) => call.seats.map((seat) => seat.user_id.toHexString()));
            expect(new Set(seated).size).toBe(seated.length);
            for (const call of found) {
              const id = call._id.toHexString();
              const before = finals.get(id);
              if (before) expect(call.status).toBe(before);
              if (!call.is_open) finals.set(id, call.status);
              expect(call.is_open === true).toBe(['initiated', 'ringing', 'ongoing'].includes(call.status));
              await expect.poll(() => [...(told.get(id) ?? [])]).toContain(call.status);
            }
            return found;
          };
          for (const batch of batches) {
            const known = await check();
            await Promise.all(
              batch.map(({ device: { user: u, node }, step, other, which }) => {
                const actor = users[u]![node]!;
                if (step === 'initiate') return outcome(initiate(actor, users[other]![0]));
                if (step === 'disconnect') return actor.node.disconnected(actor.id, actor.socketId);
                const call = known.at(-1 - which);
                return call && outcome(act(actor, step, call._id.toHexString()));
              }),
            );
          }
          for (const actor of users.flat()) actor.node.disconnected(actor.id, actor.socketId);
          await expect.poll(async () => (await check()).filter((call) => call.is_open), { timeout: 8000 }).toEqual([]);
        },
      ),
      { numRuns: 8 },
    );
  }, 90_000);
});
