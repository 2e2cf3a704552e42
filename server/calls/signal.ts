/** The relay of SDP and ICE: only between devices in the call, untouched, never stored and never logged. */
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Bus } from '../bus/bus.ts';
import type { DeviceCaller } from '../dispatch/caller.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { ContractError, conflict, forbidden, notFound } from '../lib/errors.ts';
import type { CallAccess } from './access.ts';
import { deviceOf, seatOf } from './call.ts';
import type { CallStore } from './store.ts';

/** Largest signal, in bytes of UTF-8 JSON. */
const MAX_SIGNAL_BYTES = 64 * 1024;

export interface SignalOptions {
  store: Pick<CallStore, 'findSeats'>;
  callAccess: Pick<CallAccess, 'reach'>;
  bus: Bus;
}

export interface SignalRelay {
  /** Carries out `call:signal`; keeps the signals of one socket in their order. */
  pass: Handler<'call:signal'>;
  /** Resolves when the signals of a call that are on their way through this node have passed or were refused. */
  settled(callId: string): Promise<void>;
}

export function createSignalRelay({ store, callAccess, bus }: SignalOptions): SignalRelay {
  /** By call: the signals on their way. */
  const passing = new Map<string, Set<Promise<unknown>>>();

  /** The socket that the signal goes to; undefined while the addressee's connection is lost. */
  async function addresseeOf(caller: DeviceCaller, { call_id, to_user_id }: CommandPayload<'call:signal'>) {
    const call = await store.findSeats(call_id);
    const isMine = call !== undefined && deviceOf(seatOf(call, caller.id))?.socket_id === caller.socketId;
    // A user who has the call on this device may know of it. Everyone else is looked up.
    if (!isMine) await callAccess.reach(caller.id, call_id);
    if (call?.status !== 'ongoing') throw conflict('the call is not ongoing');
    if (!isMine) throw forbidden('this device is not in the call');
    const seat = seatOf(call, to_user_id);
    if (!seat) throw notFound('this user is not in the call');
    return deviceOf(seat)?.socket_id;
  }

  function pass(caller: DeviceCaller, payload: CommandPayload<'call:signal'>) {
    return caller.inTurn(addresseeOf(caller, payload), async (socket) => {
      const { call_id, signal } = payload;
      if (Buffer.byteLength(JSON.stringify(signal)) > MAX_SIGNAL_BYTES) {
        throw new ContractError('payload_too_large', `a signal has at most ${MAX_SIGNAL_BYTES} bytes`);
      }
      if (socket) bus.emit({ socket }, 'call:signal', { call_id, from_user_id: caller.id, signal });
      return {};
    });
  }

  return {
    async pass(caller, payload) {
      const signal = pass(caller, payload);
      const ofCall = passing.get(payload.call_id) ?? new Set();
      passing.set(payload.call_id, ofCall.add(signal));
      try {
        return await signal;
      } finally {
        ofCall.delete(signal);
        if (ofCall.size === 0) passing.delete(payload.call_id);
      }
    },
    async settled(callId) {
      await Promise.allSettled(passing.get(callId) ?? []);
    },
  };
}
