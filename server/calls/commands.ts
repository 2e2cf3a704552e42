/** The commands of a call that there is, and what other domains tell calls (PROTOCOL section 8). */
import type { Logger } from 'pino';
import type { IceServer, Call as WireCall } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Collections } from '../model/collections.ts';
import { notFound } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { Caller, DeviceCaller } from '../dispatch/caller.ts';
import { pairId } from '../model/conversation-ref.ts';
import { type ArrivingDevice, createArrival } from './arrival.ts';
import type { Call } from './call.ts';
import type { CallAccess } from './call-access.ts';
import type { CallStore } from './call-store.ts';
import { toWireCall } from './call-view.ts';
import type { Changes } from './changes.ts';
import type { CallEvent } from './machine.ts';

export interface CallsOptions {
  collections: Collections;
  store: CallStore;
  changes: Changes;
  callAccess: CallAccess;
  initiate(caller: DeviceCaller, payload: CommandPayload<'call:initiate'>): Promise<Call>;
  bus: Bus;
  nodeId: string;
  /** Whether a socket of this node is connected. */
  isConnected(socketId: string): boolean;
  iceServers(userId: string): IceServer[];
  reconnectGraceMs: number;
  clock(): Date;
  log: Logger;
}

type OfCall = { call_id: string };
type Changed = Promise<{ call: WireCall }>;
type WithIce = Promise<{ call: WireCall; ice_servers: IceServer[] }>;

export interface Calls {
  initiate(caller: DeviceCaller, payload: CommandPayload<'call:initiate'>): WithIce;
  ringing(caller: Caller, payload: OfCall): Changed;
  accept(caller: DeviceCaller, payload: OfCall): WithIce;
  reject(caller: Caller, payload: OfCall): Changed;
  join(caller: DeviceCaller, payload: OfCall): WithIce;
  leave(caller: Caller, payload: OfCall): Changed;
  /** A device connected: what rings for its user rings there too. */
  connected(userId: string, device: ArrivingDevice): void;
  /** A device is gone: if it was in a call, the grace begins. */
  disconnected(userId: string, socketId: string): void;
  /** The seat of a user is on no device any more: the grace begins, unless the user has it elsewhere by now. */
  lost(callId: string, userId: string, device: { socket_id: string; node_id: string }): Promise<void>;
  /** One of the two blocks the other. */
  endBetween(one: string, other: string): void;
  /** Users are no longer in a group; nobody is in one that was deleted. */
  removeFromCalls(userIds: string[], groupId: string): void;
}

export function createCalls(options: CallsOptions): Calls {
  const { store, changes, callAccess, nodeId, isConnected, iceServers, clock, log } = options;
  const ringAt = createArrival(options);

  /** A command by someone who may know of the call. */
  async function command(caller: Caller, callId: string, event: CallEvent): Promise<Call> {
    await callAccess.reach(caller.id, callId);
    return changes.apply(callId, event, caller.socketId);
  }

  function answerWith(caller: DeviceCaller, call: Call) {
    // A connection that was lost while the seat was being taken found no seat to lose.
    if (!isConnected(caller.socketId)) disconnected(caller.id, caller.socketId);
    return { call: toWireCall(call), ice_servers: iceServers(caller.id) };
  }

  async function sit(type: 'accept' | 'join', caller: DeviceCaller, { call_id }: OfCall): WithIce {
    const device = { socket_id: caller.socketId, node_id: nodeId };
    const call = await command(caller, call_id, { type, user: caller.id, device });
    // The same for a removal from the group.
    if (!(await callAccess.mayKnow(caller.id, call))) {
      await changes.apply(call.id, { type: 'remove', user: caller.id }, caller.socketId);
      throw notFound('no such call');
    }
    return answerWith(caller, call);
  }

  async function lost(callId: string, userId: string, device: { socket_id: string; node_id: string }): Promise<void> {
    const until = new Date(clock().getTime() + options.reconnectGraceMs);
    await changes.apply(callId, { type: 'disconnect', user: userId, device, until });
  }

  async function loseSeat(userId: string, socketId: string): Promise<void> {
    const call = await store.seatedIn(userId);
    if (call) await lost(call.id, userId, { socket_id: socketId, node_id: nodeId });
  }

  function disconnected(userId: string, socketId: string): void {
    aside(loseSeat(userId, socketId), 'a lost connection was not noted');
  }

  async function endOfPair(one: string, other: string): Promise<void> {
    const call = await store.openOf(pairId(one, other));
    if (call) await changes.apply(call.id, { type: 'block' });
  }

  async function removeFromCall(userIds: string[], groupId: string): Promise<void> {
    const call = await store.openOf(groupId);
    if (!call) return;
    const members = (await callAccess.membersOf([groupId])).get(groupId);
    if (!members) await changes.apply(call.id, { type: 'close' });
    else
      for (const user of userIds) if (!members.includes(user)) await changes.apply(call.id, { type: 'remove', user });
  }

  /** Lets work go on by itself: what fails is found again by the sweeper. */
  function aside(work: Promise<void>, what: string): void {
    work.catch((err) => log.warn({ err }, what));
  }

  return {
    initiate: async (caller, payload) => answerWith(caller, await options.initiate(caller, payload)),
    ringing: async (caller, { call_id }) => ({
      call: toWireCall(await command(caller, call_id, { type: 'ringing', user: caller.id })),
    }),
    accept: (caller, payload) => sit('accept', caller, payload),
    reject: async (caller, { call_id }) => ({
      call: toWireCall(await command(caller, call_id, { type: 'reject', user: caller.id })),
    }),
    join: (caller, payload) => sit('join', caller, payload),
    leave: async (caller, { call_id }) => ({
      call: toWireCall(await command(caller, call_id, { type: 'leave', user: caller.id })),
    }),
    connected: (userId, device) => aside(ringAt(userId, device), 'a new connection was not told what rings'),
    disconnected,
    lost,
    endBetween: (one, other) => aside(endOfPair(one, other), 'a call between two who are blocked goes on'),
    removeFromCalls: (userIds, groupId) => aside(removeFromCall(userIds, groupId), 'who left a group is in its call'),
  };
}
