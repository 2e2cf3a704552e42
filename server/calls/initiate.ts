/** Starting a call (protocol, section 8). */
import type { PublicUser } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Bus } from '../bus/bus.ts';
import { refuseBlocked, refuseUnreachable } from '../conversations/access.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import type { DeviceCaller } from '../dispatch/caller.ts';
import { ContractError, notFound } from '../lib/errors.ts';
import type { Collections } from '../model/collections.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { toPublicUser } from '../model/views/user.ts';
import { announceIncoming, announceUpdate } from './announce.ts';
import type { Call } from './call.ts';
import { calleesOf } from './callees.ts';
import type { Changes } from './changes.ts';
import { findBusyCallees } from './collisions.ts';
import { checkMetadata } from './metadata.ts';
import { missedBy, newCall, ringingFor } from './new-call.ts';
import type { OpenCalls } from './open-calls.ts';
import type { CallStore } from './store.ts';

type Payload = CommandPayload<'call:initiate'>;

export interface InitiateOptions {
  collections: Pick<Collections, 'users'>;
  store: Pick<CallStore, 'insert'>;
  openCalls: Pick<OpenCalls, 'around'>;
  changes: Changes;
  access: AccessRules;
  audience: Pick<Audience, 'membersOfGroups'>;
  bus: Bus;
  nodeId: string;
  ringTimeoutMs: number;
  clock(): Date;
}

/** @returns a function that carries out `call:initiate`, and returns the stored call after its callees were rung */
export function createInitiate(options: InitiateOptions) {
  const { collections, store, changes, access, audience, bus, nodeId, ringTimeoutMs, clock } = options;

  async function publicUser({ userId }: DeviceCaller): Promise<PublicUser> {
    const user = await collections.users.findOne({ _id: userId });
    if (!user) throw notFound('no such user');
    return toPublicUser(user);
  }

  /** @returns false when another call was first, on whichever node */
  async function insert(call: Call): Promise<boolean> {
    try {
      await store.insert(call);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }

  /** A call that a busy callee misses is in both histories. */
  async function missWhileBusy(call: Call, calleeId: string, actor: string): Promise<never> {
    const missed = missedBy(call, calleeId);
    await store.insert(missed);
    announceUpdate(bus, missed, [{ to: missed.told_ids, reason: 'busy', user_id: calleeId }], actor);
    throw new ContractError('busy', 'the user is in another call');
  }

  /**
   * A block or removal that came after the first check, but before the call was stored, did not find the call. It may be
   * acknowledged by now, so the call ends before it rings.
   */
  async function checkAgain(caller: DeviceCaller, call: Call, payload: Payload): Promise<void> {
    try {
      refuseBlocked(await access.enter(caller.id, payload));
    } catch (refusal) {
      if (refusal instanceof ContractError) await changes.apply(call.id, { type: 'close' }, caller.socketId);
      throw refusal;
    }
  }

  return async function initiate(caller: DeviceCaller, payload: Payload): Promise<Call> {
    if (payload.metadata) checkMetadata(payload.metadata);
    const entered = await access.enter(caller.id, payload);
    refuseUnreachable(entered);
    const { conversation } = entered;
    const from = await publicUser(caller);
    const device = { socket_id: caller.socketId, node_id: nodeId };
    for (;;) {
      const callees = await calleesOf(collections, audience, conversation, caller.id);
      const busy = await findBusyCallees(options, conversation, caller.id, callees);
      const call = newCall(caller.id, device, conversation.id, payload, clock());
      if (conversation.kind === 'direct' && busy[0]) return missWhileBusy(call, busy[0], caller.socketId);
      const free = callees.filter((id) => !busy.includes(id));
      const ringing = ringingFor(call, free, ringTimeoutMs);
      // Another call was first: the next round finds it.
      if (!(await insert(ringing))) continue;
      await checkAgain(caller, ringing, payload);
      announceIncoming(bus, ringing, from);
      announceUpdate(bus, ringing, [{ to: [caller.id], reason: 'initiated', user_id: caller.id }], caller.socketId);
      return ringing;
    }
  };
}
