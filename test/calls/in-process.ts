/**
 * The domain of calls on several nodes inside the test process, over a real store. Its clock stands still until the test
 * moves it, so that no time limit depends on the machine's speed.
 */
import { randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { pino } from 'pino';
import { expect } from 'vitest';
import type { Bus } from '../../server/bus/bus.ts';
import { type CallDomain, createCallDomain } from '../../server/calls/domain.ts';
import { createAccessRules } from '../../server/conversations/access-rules.ts';
import { createAudience } from '../../server/conversations/audience.ts';
import { createVisibility } from '../../server/conversations/visibility.ts';
import type { DeviceCaller } from '../../server/dispatch/caller.ts';
import { ContractError } from '../../server/lib/errors.ts';
import type { Collections } from '../../server/model/collections.ts';
import { connect } from '../../server/model/connect.ts';
import type { CallDocument } from '../../server/model/documents/calls.ts';
import type { CallReason } from '../../shared/contract/calls.ts';
import { startDatabase } from '../support/database.ts';
import { uncached } from '../support/lookups.ts';
import { silentOutbox } from '../support/outbox.ts';

export const RING_MS = 45_000;
export const GRACE_MS = 15_000;

const config = {
  callRingTimeoutMs: RING_MS,
  callReconnectGraceMs: GRACE_MS,
  groupCallMax: 8,
  iceServers: [],
  turnUrls: [],
  turnSecret: undefined,
};

/** What matters of a `call:updated`. */
interface Update {
  reason: CallReason;
  user_id: string | undefined;
  status: string;
}

export interface TestDevice extends DeviceCaller {
  node: CallDomain;
  /** What the device was told of changes, in order. */
  updates: Update[];
}

export const reasons = (device: TestDevice) => device.updates.map(({ reason }) => reason);

export interface CallNodes {
  domains: CallDomain[];
  collections: Collections;
  /** The devices of all users. */
  devices: TestDevice[];
  /** The ids of dead nodes. */
  dead: Set<string>;
  /** The ids of sockets that are not connected. */
  gone: Set<string>;
  /** The states that were told of each call. */
  told: Map<string, Set<string>>;
  /** Moves the clock of all nodes. */
  pass(ms: number): void;
  now(): Date;
  stop(): Promise<void>;
}

/** Starts nodes with the ids `node-1`, `node-2` and so on. */
export async function startCallNodes(count: number): Promise<CallNodes> {
  const database = await startDatabase();
  const connections = await Promise.all(
    Array.from({ length: count }, () => connect(database.url, pino({ level: 'silent' }))),
  );
  let time = Date.now();
  const state = {
    devices: [] as TestDevice[],
    dead: new Set<string>(),
    gone: new Set<string>(),
    told: new Map<string, Set<string>>(),
    now: () => new Date(time),
  };
  const bus = recordingBus(state);
  const domains = connections.map(({ collections }, i) =>
    createCallDomain({
      collections,
      outbox: silentOutbox(collections),
      bus,
      access: createAccessRules(collections, createVisibility(false), uncached),
      audience: createAudience(collections, uncached),
      nodes: {
        id: `node-${i + 1}`,
        deadAmong: async (ids) => ids.filter((id) => state.dead.has(id)),
        others: async () => ({ living: connections.length - 1, possible: 0 }),
        close: async () => {},
      },
      isConnected: (socketId) => !state.gone.has(socketId),
      config,
      clock: state.now,
      log: pino({ level: 'silent' }),
    }),
  );
  return {
    ...state,
    domains,
    collections: connections[0]!.collections,
    pass(ms) {
      time += ms;
    },
    async stop() {
      await Promise.all(domains.map((domain) => domain.close()));
      await Promise.all(connections.map((connection) => connection.close()));
      await database.stop();
    },
  };
}

function recordingBus({ devices, told }: Pick<CallNodes, 'devices' | 'told'>): Bus {
  const bus: Pick<Bus, 'emit'> = {
    emit(to, event, payload, except) {
      if (!('call' in payload)) return;
      const { _id, status } = payload.call;
      told.set(_id, (told.get(_id) ?? new Set()).add(status));
      if (event !== 'call:updated' || !('reason' in payload) || !('users' in to)) return;
      const update = { reason: payload.reason as CallReason, user_id: payload.user_id, status };
      for (const { id, socketId, updates } of devices) {
        if (to.users.includes(id) && socketId !== except?.socket) updates.push(update);
      }
    },
  };
  return bus as Bus;
}

/** Adds a user with a device on each node. */
export async function addUser({ collections, domains, devices }: CallNodes): Promise<[TestDevice, ...TestDevice[]]> {
  const _id = await insertUser(collections.users);
  const own = domains.map((node) => ({
    userId: _id,
    id: _id.toHexString(),
    sessionId: '',
    socketId: randomBytes(8).toString('hex'),
    inTurn: async <P, R>(prepare: Promise<P>, act: (prepared: P) => Promise<R>) => act(await prepare),
    node,
    updates: [],
  }));
  devices.push(...own);
  return own as unknown as [TestDevice, ...TestDevice[]];
}

/** Adds a group of the devices' users. */
export async function addGroup({ collections, now }: CallNodes, members: TestDevice[]): Promise<string> {
  const ids = members.map((member) => member.userId);
  const { insertedId } = await collections.groups.insertOne({
    _id: new ObjectId(),
    name: 'Calls',
    description: null,
    icon: null,
    creator_id: ids[0]!,
    members: ids,
    admins: [ids[0]!],
    created_at: now(),
    updated_at: now(),
    is_active: true,
  });
  return insertedId.toHexString();
}

export const storedCall = async ({ collections }: CallNodes, id: string): Promise<CallDocument> =>
  (await collections.calls.findOne({ _id: new ObjectId(id) }))!;

export const statusOf = async (nodes: CallNodes, id: string) => (await storedCall(nodes, id)).status;

/** Loses the connection of a device that is in a call; resolves when the grace period has begun. */
export async function lose({ collections }: CallNodes, device: TestDevice): Promise<void> {
  device.node.disconnected(device.id, device.socketId);
  const lost = { user_id: device.userId, lost_until: { $exists: true } };
  await expect.poll(() => collections.calls.countDocuments({ is_open: true, seats: { $elemMatch: lost } })).toBe(1);
}

async function insertUser(users: Collections['users']): Promise<ObjectId> {
  const _id = new ObjectId();
  const name = randomBytes(8).toString('hex');
  const now = new Date();
  await users.insertOne({
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
  return _id;
}

export const initiate = async (device: TestDevice, target: { recipient_id: string } | { group_id: string }) =>
  (await device.node.handlers['call:initiate'](device, { ...target, call_type: 'voice' })).call;

export type Step = 'ringing' | 'accept' | 'reject' | 'join' | 'leave';

export const act = async (device: TestDevice, step: Step, call_id: string) =>
  (await device.node.handlers[`call:${step}`](device, { call_id })).call;

/** `ok`, or the code of the refusal. Anything else is a bug. */
export function outcome(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'ok',
    (error: unknown) => {
      if (error instanceof ContractError) return error.code;
      throw error;
    },
  );
}
