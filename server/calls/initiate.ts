/** Starting a call (PROTOCOL section 8). */
import { ObjectId } from 'mongodb';
import type { PublicUser } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import { toPublicUser } from '../model/views/user.ts';
import type { Collections } from '../model/collections.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { fromId } from '../model/codec.ts';
import { ContractError, conflict, invalid, notFound } from '../lib/errors.ts';
import type { Bus } from '../bus/bus.ts';
import type { DeviceCaller } from '../dispatch/caller.ts';
import { refuseBlocked } from '../conversations/access.ts';
import { type Call, nextDue } from './call.ts';
import type { CallAccess } from './call-access.ts';
import type { CallStore } from './call-store.ts';
import { toWireCall } from './call-view.ts';
import { stateOf } from '../model/state.ts';
import type { Changes } from './changes.ts';
import type { AccessRules } from '../conversations/access-rules.ts';

/** Largest metadata, in bytes of UTF-8 JSON. */
const MAX_METADATA_BYTES = 4096;

export interface InitiateOptions {
  collections: Collections;
  store: CallStore;
  changes: Changes;
  access: AccessRules;
  callAccess: CallAccess;
  bus: Bus;
  nodeId: string;
  ringTimeoutMs: number;
  clock(): Date;
}

const busy = (message: string) => new ContractError('busy', message);

/** @returns what carries out `call:initiate`: the stored call, after its callees were told */
export function createInitiate(options: InitiateOptions) {
  const { collections, store, changes, access, callAccess, bus, nodeId, ringTimeoutMs, clock } = options;

  /** The callees whose accounts are active. */
  async function calleesOf(callerId: string, groupId: string): Promise<string[]> {
    const members = ((await callAccess.membersOf([groupId])).get(groupId) ?? []).filter((id) => id !== callerId);
    const active = await collections.users
      .find({ _id: { $in: members.map(fromId) }, is_active: true }, { projection: { _id: 1 } })
      .toArray();
    return active.map((user) => user._id.toHexString());
  }

  /**
   * The open calls that stand in the way of a new one, as far as time has not ended them.
   * @throws ContractError `busy` or `conflict` where the caller may not start another
   */
  async function lookAround(callerId: string, conversationId: string, isGroup: boolean, callees: string[]) {
    const found = await store.openAround(conversationId, [callerId, ...callees]);
    const now = clock();
    const settled = found.map((call) => {
      const due = nextDue(call);
      return due && due.at <= now ? changes.apply(call.id, undefined) : call;
    });
    const seated = (call: Call, userId: string) => call.seats.some((seat) => seat.user_id === userId);
    const open = (await Promise.all(settled)).filter((call) => call.seats.length > 0);
    const here = open.find((call) => call.conversation_id === conversationId);
    const mine = open.find((call) => seated(call, callerId));
    // The one who is in the group's call already is told which it is; the caller of a pair's is in a call.
    if (mine && !(isGroup && mine === here)) throw busy('you are in a call');
    if (here) throw conflict('there is a call already', { call_id: here.id });
    return { busyCallees: callees.filter((id) => open.some((call) => seated(call, id))) };
  }

  function draft(caller: DeviceCaller, conversationId: string, payload: CommandPayload<'call:initiate'>): Call {
    const now = clock();
    const { recipient_id, group_id, call_type, metadata = {} } = payload;
    return {
      id: new ObjectId().toHexString(),
      kind: group_id === undefined ? 'direct' : 'group',
      conversation_id: conversationId,
      caller_id: caller.id,
      ...(recipient_id === undefined ? {} : { recipient_id }),
      ...(group_id === undefined ? {} : { group_id }),
      call_type,
      metadata,
      status: 'initiated',
      started_at: now,
      participants: [{ user_id: caller.id, joined_at: now }],
      seats: [{ user_id: caller.id, socket_id: caller.socketId, node_id: nodeId }],
      ringing_ids: [],
      told_ids: [caller.id],
      version: 1,
    };
  }

  /** The callee is in another call: one that was missed, in both histories. */
  async function missWhileBusy(caller: DeviceCaller, call: Call, calleeId: string): Promise<never> {
    const { started_at } = call;
    const missed: Call = {
      ...call,
      status: 'missed',
      ended_at: started_at,
      participants: call.participants.map((stay) => ({ ...stay, left_at: started_at })),
      seats: [],
      told_ids: [caller.id, calleeId],
    };
    await store.insert(missed);
    changes.tell(missed, [{ to: missed.told_ids, reason: 'busy', user_id: calleeId }], caller.socketId);
    throw busy('the other one is in a call');
  }

  async function callerOf(caller: DeviceCaller): Promise<PublicUser> {
    const user = await collections.users.findOne({ _id: caller.userId });
    if (!user) throw notFound('no such user');
    return toPublicUser(user);
  }

  function ring(caller: DeviceCaller, call: Call, from: PublicUser): void {
    const incoming = { call: toWireCall(call), from };
    bus.emit({ users: call.ringing_ids }, 'call:incoming', incoming, undefined, stateOf('call', call.id, call.version));
    changes.tell(call, [{ to: [caller.id], reason: 'initiated', user_id: caller.id }], caller.socketId);
  }

  /** A block or a removal that came between the look and the insertion did not find the call: it is found now. */
  async function checkAgain(caller: DeviceCaller, call: Call, payload: CommandPayload<'call:initiate'>): Promise<void> {
    try {
      refuseBlocked(await access.enter(caller.id, payload));
    } catch (refusal) {
      if (refusal instanceof ContractError) await changes.apply(call.id, { type: 'close' }, caller.socketId);
      throw refusal;
    }
  }

  return async function initiate(caller: DeviceCaller, payload: CommandPayload<'call:initiate'>): Promise<Call> {
    if (payload.metadata) checkMetadata(payload.metadata);
    const entered = await access.enter(caller.id, payload);
    refuseBlocked(entered);
    if (!entered.peerActive) throw notFound('no such user');
    const { conversation } = entered;
    const isGroup = conversation.kind === 'group';
    const from = await callerOf(caller);
    for (;;) {
      const callees = isGroup ? await calleesOf(caller.id, conversation.id) : [payload.recipient_id!];
      const { busyCallees } = await lookAround(caller.id, conversation.id, isGroup, callees);
      const call = draft(caller, conversation.id, payload);
      if (!isGroup && busyCallees.length > 0) return missWhileBusy(caller, call, callees[0]!);
      call.ringing_ids = callees.filter((id) => !busyCallees.includes(id));
      call.told_ids.push(...call.ringing_ids);
      call.ring_until = new Date(call.started_at.getTime() + ringTimeoutMs);
      try {
        await store.insert(call);
      } catch (error) {
        // Another call was first, on whichever node: look again at what is there now.
        if (isDuplicateKey(error)) continue;
        throw error;
      }
      ring(caller, call, from);
      await checkAgain(caller, call, payload);
      return call;
    }
  };
}

/**
 * @throws ContractError `validation_failed` when it is too large, or when the database gives a meaning of its own to a
 * name in it: what is stored must come back as it was
 */
function checkMetadata(metadata: Record<string, unknown>): void {
  if (Buffer.byteLength(JSON.stringify(metadata)) > MAX_METADATA_BYTES) {
    throw invalid('metadata', `must NOT have more than ${MAX_METADATA_BYTES} bytes`);
  }
  checkNames(metadata, 'metadata');
}

function checkNames(value: unknown, path: string): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) {
    if (name.startsWith('$') || name === '_bsontype' || name === 'toBSON')
      throw invalid(path, `must NOT have a property ${name}`);
    checkNames(inner, `${path}.${name}`);
  }
}
