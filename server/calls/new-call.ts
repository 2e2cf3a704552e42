/** Calls as they are first stored. */
import { ObjectId } from 'mongodb';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Call, Device } from './call.ts';

/** A call with its caller in it, before anyone is rung. */
export function newCall(
  callerId: string,
  device: Device,
  conversationId: string,
  payload: CommandPayload<'call:initiate'>,
  now: Date,
): Call {
  const { recipient_id, group_id, call_type, metadata = {} } = payload;
  return {
    id: new ObjectId().toHexString(),
    kind: group_id === undefined ? 'direct' : 'group',
    conversation_id: conversationId,
    caller_id: callerId,
    ...(recipient_id === undefined ? {} : { recipient_id }),
    ...(group_id === undefined ? {} : { group_id }),
    call_type,
    metadata,
    status: 'initiated',
    started_at: now,
    participants: [{ user_id: callerId, joined_at: now }],
    seats: [{ user_id: callerId, ...device }],
    ringing_ids: [],
    told_ids: [callerId],
    version: 1,
  };
}

/** The call, ringing for callees. */
export function ringingFor(call: Call, calleeIds: string[], ringTimeoutMs: number): Call {
  return {
    ...call,
    ringing_ids: calleeIds,
    told_ids: [...call.told_ids, ...calleeIds],
    ring_until: new Date(call.started_at.getTime() + ringTimeoutMs),
  };
}

/** The call, missed by a callee who is in another one. */
export function missedBy(call: Call, calleeId: string): Call {
  const { started_at } = call;
  return {
    ...call,
    status: 'missed',
    ended_at: started_at,
    participants: call.participants.map((stay) => ({ ...stay, left_at: started_at })),
    seats: [],
    told_ids: [...call.told_ids, calleeId],
  };
}
