/** Rings at devices that connect while a call rings (protocol, section 8). */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { PublicUser } from '../../shared/contract/documents.ts';
import type { Bus } from '../bus/bus.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { toPublicUser } from '../model/views/user.ts';
import type { Call } from './call.ts';
import type { OpenCalls } from './open-calls.ts';
import { toWireCall } from './view.ts';

/** A call younger than this, in milliseconds, may still be on its way here from another node. */
const JUST_BEGUN_MS = 500;
/** How long to wait for it. Should it take longer, the call rings twice rather than not at all. */
const WAIT_MS = 100;

type Listener = (event: string, payload?: { call?: { _id: string } }) => void;

/** A socket that lets others listen to what it is sent. */
export interface ConnectingDevice {
  id: string;
  onAnyOutgoing(listener: Listener): unknown;
  offAnyOutgoing(listener: Listener): unknown;
}

export interface LateRingingOptions {
  collections: Pick<Collections, 'users'>;
  openCalls: Pick<OpenCalls, 'ringingFor'>;
  bus: Bus;
  clock(): Date;
  log: Logger;
}

interface Ringing {
  call: Call;
  from: PublicUser | undefined;
}

/**
 * @returns a function that rings at a device that is already in its user's room, except for calls that reach the device
 * there; it returns at once
 */
export function createLateRinging({ collections, openCalls, bus, clock, log }: LateRingingOptions) {
  async function find(userId: string): Promise<Ringing[]> {
    const calls = await openCalls.ringingFor(userId);
    if (calls.length === 0) return [];
    const callers = await collections.users
      .find({ _id: { $in: calls.map((call) => fromId(call.caller_id)) } })
      .toArray();
    const from = new Map(callers.map((user) => [user._id.toHexString(), toPublicUser(user)]));
    return calls.map((call) => ({ call, from: from.get(call.caller_id) }));
  }

  async function ringAt(userId: string, device: ConnectingDevice, heard: Heard): Promise<void> {
    /** Reads again if the device was told of a change meanwhile: what was read may be out of date. */
    async function findSettled(): Promise<Ringing[]> {
      for (;;) {
        const before = heard.updates;
        const found = await find(userId);
        if (heard.updates === before) return found;
      }
    }
    const mayBeOnItsWay = ({ call }: Ringing) =>
      !heard.rung.has(call.id) && clock().getTime() - call.started_at.getTime() < JUST_BEGUN_MS;

    let found = await findSettled();
    if (found.some(mayBeOnItsWay)) {
      await delay(WAIT_MS);
      found = await findSettled();
    }
    for (const { call, from } of found) {
      if (!from || heard.rung.has(call.id) || !call.ring_until || call.ring_until <= clock()) continue;
      bus.emit({ socket: device.id }, 'call:incoming', { call: toWireCall(call), from });
    }
  }

  return function connected(userId: string, device: ConnectingDevice): void {
    const { heard, stop } = listenTo(device);
    ringAt(userId, device, heard)
      .catch((err) => log.warn({ err }, 'calls do not ring at a new connection'))
      .finally(stop);
  };
}

/** What a device was sent about calls while it was listened to. */
interface Heard {
  /** The ids of the calls that rang. */
  rung: Set<string>;
  /** How many changes it was told. */
  updates: number;
}

function listenTo(device: ConnectingDevice): { heard: Heard; stop(): void } {
  const heard: Heard = { rung: new Set(), updates: 0 };
  const listen: Listener = (event, payload) => {
    if (event === 'call:incoming' && payload?.call) heard.rung.add(payload.call._id);
    if (event === 'call:updated') heard.updates++;
  };
  device.onAnyOutgoing(listen);
  return { heard, stop: () => device.offAnyOutgoing(listen) };
}
