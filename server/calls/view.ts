import type { Call as WireCall } from '../../shared/contract/documents.ts';
import { type Call, durationOf } from './call.ts';

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
