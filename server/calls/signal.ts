/** The relay of SDP and ICE: only between the devices in the call, untouched, never stored, never logged. */
import type { CommandPayload } from '../../shared/contract/index.ts';
import { ContractError, conflict, forbidden, notFound } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { DeviceCaller } from '../dispatch/caller.ts';
import { deviceOf } from './call.ts';
import type { CallAccess } from './call-access.ts';
import type { CallStore } from './call-store.ts';

/** Largest signal, in bytes of UTF-8 JSON. */
const MAX_SIGNAL_BYTES = 64 * 1024;

export type RelaySignal = (
  caller: DeviceCaller,
  payload: CommandPayload<'call:signal'>,
) => Promise<Record<string, never>>;

/** @returns what carries out `call:signal`; the signals of one socket arrive in the order in which it sent them */
export function createSignals(store: CallStore, callAccess: CallAccess, bus: Bus): RelaySignal {
  /** Where the signal goes; undefined while the addressee's connection is lost. */
  async function addresseeOf(caller: DeviceCaller, { call_id, to_user_id }: CommandPayload<'call:signal'>) {
    const call = await store.findSeats(call_id);
    const seat = (userId: string) => call?.seats.find(({ user_id }) => user_id === userId);
    const mine = deviceOf(seat(caller.id))?.socket_id === caller.socketId;
    // Whoever has the call on this device may know of it; everyone else is looked up.
    if (!call || !mine) await callAccess.reach(caller.id, call_id);
    if (call?.status !== 'ongoing') throw conflict('the call is not under way');
    if (!mine) throw forbidden('the call is not on this device');
    const theirs = seat(to_user_id);
    if (!theirs) throw notFound('no such user in the call');
    return deviceOf(theirs)?.socket_id;
  }

  return (caller, payload) =>
    caller.inTurn(addresseeOf(caller, payload), async (socket) => {
      const { call_id, signal } = payload;
      if (Buffer.byteLength(JSON.stringify(signal)) > MAX_SIGNAL_BYTES) {
        throw new ContractError('payload_too_large', `a signal has at most ${MAX_SIGNAL_BYTES} bytes`);
      }
      if (socket) bus.emit({ socket }, 'call:signal', { call_id, from_user_id: caller.id, signal });
      return {};
    });
}
