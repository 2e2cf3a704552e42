import Type from 'typebox';
import { command, event } from './define.ts';
import { CALL_TYPES, Call, IceServer, PublicUser } from './documents.ts';
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
  'call:initiate': command(
    'Calls a user or a group.',
    Targeted({ call_type: OneOf(CALL_TYPES), metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())) }),
    WithIce,
    'call',
  ),
  'call:ringing': command("A callee's device says that it rings.", OfCall, Changed),
  'call:accept': command('Answers a call on this device.', OfCall, WithIce),
  'call:reject': command('Declines a call.', OfCall, Changed),
  'call:join': command('Joins a group call under way, or takes a call over on this device.', OfCall, WithIce),
  'call:leave': command('Leaves a call.', OfCall, Changed),
  'call:end': command('Ends a call; in a group the same as leaving.', OfCall, Changed),
  'call:signal': command(
    'Passes SDP or ICE to another device in the call, untouched.',
    Closed({ call_id: Id, to_user_id: Id, signal: Type.Record(Type.String(), Type.Unknown()) }),
    Empty,
  ),
  'call:history': command(
    "The caller's calls and those of the caller's groups, newest first.",
    Closed({ limit: Limit(100), before_id: Type.Optional(Id) }),
    Type.Object({ calls: Type.Array(Call), has_more: Type.Boolean() }),
  ),
};

export const callEvents = {
  'call:incoming': event('A call rings.', Type.Object({ call: Call, from: PublicUser })),
  'call:updated': event(
    'A call changed.',
    Type.Object({ call: Call, reason: OneOf(CALL_REASONS), user_id: Type.Optional(Id) }),
  ),
  'call:signal': event(
    'SDP or ICE from another device in the call.',
    Type.Object({ call_id: Id, from_user_id: Id, signal: Type.Record(Type.String(), Type.Unknown()) }),
  ),
};
