/** The commands of calls (protocol, section 8). */
import type { IceServer, Call as WireCall } from '../../shared/contract/documents.ts';
import type { Caller, DeviceCaller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { notFound } from '../lib/errors.ts';
import type { CallAccess } from './access.ts';
import type { Call } from './call.ts';
import type { CallEvent } from './event.ts';
import { createHistory, type HistoryOptions } from './history.ts';
import { createInitiate, type InitiateOptions } from './initiate.ts';
import type { LostConnections } from './lost-connections.ts';
import type { SignalRelay } from './signal.ts';
import { toWireCall } from './view.ts';

export type CallCommandOptions = InitiateOptions &
  HistoryOptions & {
    callAccess: CallAccess;
    signals: Pick<SignalRelay, 'pass'>;
    lostConnections: Pick<LostConnections, 'disconnected' | 'loseIfGone'>;
    /** Whether a socket of this node is connected. */
    isConnected(socketId: string): boolean;
    iceServers(userId: string): IceServer[];
  };

type OfCall = { call_id: string };
type Seated = { call: WireCall; ice_servers: IceServer[] };

export function createCallCommands(options: CallCommandOptions): HandlersOf<'call'> {
  const { callAccess, changes, nodeId, signals, lostConnections, isConnected, iceServers } = options;
  const initiate = createInitiate(options);

  /** Applies an event if the caller may know of the call. */
  async function change(caller: Caller, callId: string, event: CallEvent, dueAt?: number): Promise<Call> {
    await callAccess.reach(caller.id, callId);
    return changes.apply(callId, event, caller.socketId, dueAt);
  }

  async function act(type: 'ringing' | 'reject', caller: Caller, { call_id }: OfCall, dueAt?: number) {
    return { call: toWireCall(await change(caller, call_id, { type, user: caller.id }, dueAt)) };
  }

  async function leave(caller: Caller, { call_id }: OfCall, dueAt?: number) {
    const call = await callAccess.reach(caller.id, call_id);
    // Only the device in the call leaves it. One that vanished without a word must not keep its user from leaving.
    await lostConnections.loseIfGone(call, caller.id);
    const device = caller.socketId === undefined ? {} : { device: { socket_id: caller.socketId, node_id: nodeId } };
    const event: CallEvent = { type: 'leave', user: caller.id, ...device };
    return { call: toWireCall(await changes.apply(call_id, event, caller.socketId, dueAt)) };
  }

  async function takeSeat(
    type: 'accept' | 'join',
    caller: DeviceCaller,
    { call_id }: OfCall,
    dueAt?: number,
  ): Promise<Seated> {
    const device = { socket_id: caller.socketId, node_id: nodeId };
    const call = await change(caller, call_id, { type, user: caller.id, device }, dueAt);
    // A removal from the group that came before the seat was stored found no seat to free.
    if (!(await callAccess.mayKnow(caller.id, call))) {
      await changes.apply(call_id, { type: 'remove', user: caller.id }, caller.socketId);
      throw notFound('no such call');
    }
    return seated(caller, call);
  }

  function seated(caller: DeviceCaller, call: Call): Seated {
    // A disconnection that came before the seat was stored found no seat to lose.
    if (!isConnected(caller.socketId)) lostConnections.disconnected(caller.id, caller.socketId);
    return { call: toWireCall(call), ice_servers: iceServers(caller.id) };
  }

  return {
    'call:initiate': async (caller, payload) => seated(caller, await initiate(caller, payload)),
    'call:ringing': (caller, payload, dueAt) => act('ringing', caller, payload, dueAt),
    'call:accept': (caller, payload, dueAt) => takeSeat('accept', caller, payload, dueAt),
    'call:reject': (caller, payload, dueAt) => act('reject', caller, payload, dueAt),
    'call:join': (caller, payload, dueAt) => takeSeat('join', caller, payload, dueAt),
    'call:leave': leave,
    'call:end': leave,
    'call:signal': signals.pass,
    'call:history': createHistory(options),
  };
}
