/** What rings for a user rings at a device that connects meanwhile, too (PROTOCOL section 8). */
import { setTimeout as delay } from 'node:timers/promises';
import { toPublicUser } from '../model/views/user.ts';
import type { Collections } from '../model/collections.ts';
import { fromId } from '../model/codec.ts';
import type { Bus } from '../bus/bus.ts';
import type { Call } from './call.ts';
import type { CallStore } from './call-store.ts';
import { toWireCall } from './call-view.ts';

/** A call that began so short a time ago, in milliseconds, may still be on its way from another node. */
const JUST_BEGUN_MS = 500;
/** How long that is waited for: should it take longer, the call rings twice rather than not at all. */
const WAIT_MS = 100;

type Listener = (event: string, payload?: { call?: { _id: string } }) => void;

/** A socket, as far as it can be heard what it is sent. */
export interface ArrivingDevice {
  id: string;
  onAnyOutgoing(listener: Listener): unknown;
  offAnyOutgoing(listener: Listener): unknown;
}

export interface ArrivalOptions {
  collections: Pick<Collections, 'users'>;
  store: Pick<CallStore, 'ringingFor'>;
  bus: Bus;
  clock(): Date;
}

/** @returns rings at a device that is in its user's room already, but not for calls that it hears of there by itself */
export function createArrival({ collections, store, bus, clock }: ArrivalOptions) {
  async function ringingFor(userId: string) {
    const ringing = await store.ringingFor(userId);
    if (ringing.length === 0) return [];
    const callers = await collections.users
      .find({ _id: { $in: ringing.map((call) => fromId(call.caller_id)) } })
      .toArray();
    const from = new Map(callers.map((user) => [user._id.toHexString(), toPublicUser(user)]));
    return ringing.map((call) => ({ call, from: from.get(call.caller_id) }));
  }

  return async function ringAt(userId: string, device: ArrivingDevice): Promise<void> {
    const rung = new Set<string>();
    let news = 0;
    const listen: Listener = (event, payload) => {
      if (event === 'call:incoming' && payload?.call) rung.add(payload.call._id);
      if (event === 'call:updated') news++;
    };
    /** Reads until what was read is not out of date: the device has been told of no change meanwhile. */
    async function settled() {
      for (;;) {
        const known = news;
        const ringing = await ringingFor(userId);
        if (news === known) return ringing;
      }
    }
    const isAboutToRing = ({ call }: { call: Call }) =>
      !rung.has(call.id) && clock().getTime() - call.started_at.getTime() < JUST_BEGUN_MS;

    device.onAnyOutgoing(listen);
    try {
      let ringing = await settled();
      if (ringing.some(isAboutToRing)) {
        await delay(WAIT_MS);
        ringing = await settled();
      }
      for (const { call, from } of ringing) {
        if (!from || rung.has(call.id) || !call.ring_until || call.ring_until <= clock()) continue;
        bus.emit({ socket: device.id }, 'call:incoming', { call: toWireCall(call), from });
      }
    } finally {
      device.offAnyOutgoing(listen);
    }
  };
}
