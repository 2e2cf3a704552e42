import Type from 'typebox';
import { command, event, pageOf } from './define.ts';
import { CALL_TYPES, Call, IceServer, PublicUser } from './documents.ts';
import { ANN, ann, BOB, CALL, call, iceServers, LATER, ongoingCall, signal } from './examples.ts';
import { Closed, Empty, Id, Limit, OneOf, Targeted } from './values.ts';

const Changed = Type.Object({ call: Call });
const WithIce = Type.Object({ call: Call, ice_servers: Type.Array(IceServer) });
const OfCall = Closed({ call_id: Id });

export const CALL_REASONS = [
  'initiated',
  'ringing',
  'accepted',
  'answered_elsewhere',
  'rejected',
  'missed',
  'cancelled',
  'busy',
  'joined',
  'left',
  'moved',
  'ended',
] as const;
export type CallReason = (typeof CALL_REASONS)[number];

export const callCommands = {
  'call:initiate': command({
    summary: 'Calls a user or a group.',
    payload: Targeted({
      call_type: OneOf(CALL_TYPES),
      metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    }),
    data: WithIce,
    rate: 'call',
    device_only: true,
    errors: ['forbidden', 'not_found', 'conflict', 'busy'],
    example: { payload: { recipient_id: BOB, call_type: 'video' }, data: { call, ice_servers: iceServers } },
  }),
  'call:ringing': command({
    summary: "A callee's device says that it rings.",
    payload: OfCall,
    data: Changed,
    errors: ['forbidden', 'not_found'],
    example: { payload: { call_id: CALL }, data: { call: { ...call, status: 'ringing' } } },
  }),
  'call:accept': command({
    summary: 'Answers a call on this device.',
    payload: OfCall,
    data: WithIce,
    device_only: true,
    errors: ['forbidden', 'not_found', 'conflict', 'busy'],
    example: { payload: { call_id: CALL }, data: { call: ongoingCall, ice_servers: iceServers } },
  }),
  'call:reject': command({
    summary: 'Declines a call.',
    payload: OfCall,
    data: Changed,
    errors: ['forbidden', 'not_found', 'conflict'],
    example: { payload: { call_id: CALL }, data: { call: { ...call, status: 'rejected', ended_at: LATER } } },
  }),
  'call:join': command({
    summary: 'Joins a group call under way, or takes a call over on this device.',
    payload: OfCall,
    data: WithIce,
    device_only: true,
    errors: ['forbidden', 'not_found', 'conflict', 'busy'],
    example: { payload: { call_id: CALL }, data: { call: ongoingCall, ice_servers: iceServers } },
  }),
  'call:leave': command({
    summary: 'Leaves a call.',
    payload: OfCall,
    data: Changed,
    errors: ['not_found'],
    example: { payload: { call_id: CALL }, data: { call: { ...ongoingCall, status: 'ended', ended_at: LATER } } },
  }),
  'call:end': command({
    summary: 'Ends a call; in a group the same as leaving.',
    payload: OfCall,
    data: Changed,
    errors: ['not_found'],
    example: { payload: { call_id: CALL }, data: { call: { ...ongoingCall, status: 'ended', ended_at: LATER } } },
  }),
  'call:signal': command({
    summary: 'Passes SDP or ICE to another device in the call, untouched.',
    payload: Closed({ call_id: Id, to_user_id: Id, signal: Type.Record(Type.String(), Type.Unknown()) }),
    data: Empty,
    opaque: 'signal',
    device_only: true,
    errors: ['forbidden', 'not_found', 'conflict', 'payload_too_large'],
    example: { payload: { call_id: CALL, to_user_id: BOB, signal }, data: {} },
  }),
  'call:history': command({
    summary: "The caller's calls and those of the caller's groups, newest first.",
    payload: Closed({ limit: Limit(100), before_id: Type.Optional(Id) }),
    data: Type.Object({ calls: Type.Array(Call), has_more: Type.Boolean() }),
    cost: pageOf(100, 50),
    errors: ['not_found'],
    example: { payload: { limit: 50 }, data: { calls: [ongoingCall], has_more: false } },
  }),
};

export const callEvents = {
  'call:incoming': event({
    summary: 'A call rings.',
    payload: Type.Object({ call: Call, from: PublicUser }),
    example: { call, from: ann },
  }),
  'call:updated': event({
    summary: 'A call changed.',
    payload: Type.Object({ call: Call, reason: OneOf(CALL_REASONS), user_id: Type.Optional(Id) }),
    example: { call: ongoingCall, reason: 'accepted', user_id: BOB },
  }),
  'call:signal': event({
    summary: 'SDP or ICE from another device in the call.',
    payload: Type.Object({ call_id: Id, from_user_id: Id, signal: Type.Record(Type.String(), Type.Unknown()) }),
    example: { call_id: CALL, from_user_id: ANN, signal },
  }),
};

/** Whether devices may ring for the call: a group's rings on for the others when one has answered. */
export function mayRing({ status, group_id }: Call): boolean {
  return status === 'initiated' || status === 'ringing' || (status === 'ongoing' && group_id !== undefined);
}
