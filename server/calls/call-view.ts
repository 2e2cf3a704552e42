import type { Call as WireCall } from '../../shared/contract/documents.ts';
import type { State } from '../fanout/operations.ts';
import { type Call, durationOf } from './call.ts';

/** Which state of the call this is. */
export function stateOf({ id, version }: Call): State {
  return { of: `call ${id}`, version };
}

/** The wire form of a call: what the contract names and nothing of what the server keeps beside it. */
export function toWireCall(call: Call): WireCall {
  return {
    _id: call.id,
    caller_id: call.caller_id,
    ...(call.recipient_id === undefined ? {} : { recipient_id: call.recipient_id }),
    ...(call.group_id === undefined ? {} : { group_id: call.group_id }),
    call_type: call.call_type,
    started_at: call.started_at.toISOString(),
    ...(call.ended_at ? { ended_at: call.ended_at.toISOString() } : {}),
    status: call.status,
    duration: durationOf(call),
    participants: call.participants.map(({ user_id, joined_at, left_at }) => ({
      user_id,
      joined_at: joined_at.toISOString(),
      ...(left_at ? { left_at: left_at.toISOString() } : {}),
    })),
    metadata: call.metadata,
  };
}

/** Whether devices may ring for the call: a group's rings on for the others when one has answered. */
export function mayRing({ status, group_id }: WireCall): boolean {
  return status === 'initiated' || status === 'ringing' || (status === 'ongoing' && group_id !== undefined);
}
