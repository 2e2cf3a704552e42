/** A call as the state machine sees it: plain values, ids as hex characters. Nothing here does I/O. */
import type { CallReason } from '../../shared/contract/calls.ts';

export type CallStatus = 'initiated' | 'ringing' | 'ongoing' | 'ended' | 'missed' | 'rejected';

/** A stay in the call; who comes back gets a new one. */
export interface Stay {
  user_id: string;
  joined_at: Date;
  left_at?: Date;
}

/** One connection of a user: the node that holds it and its socket there. */
export interface Device {
  socket_id: string;
  node_id: string;
}

/** Where a user has the call: on a device, or, with its connection lost, nowhere until the grace is over. */
export type Seat = { user_id: string } & (Device | { lost_until: Date });

export interface Call {
  id: string;
  kind: 'direct' | 'group';
  conversation_id: string;
  caller_id: string;
  /** Of a pair's call. */
  recipient_id?: string;
  /** Of a group's call. */
  group_id?: string;
  call_type: 'voice' | 'video';
  metadata: Record<string, unknown>;
  status: CallStatus;
  started_at: Date;
  answered_at?: Date;
  ended_at?: Date;
  /** Every stay there was, in the order of joining. */
  participants: Stay[];
  /** Who is in the call now, and where: one seat for each stay that has not ended. */
  seats: Seat[];
  /** Callees whose devices ring. */
  ringing_ids: string[];
  /** Who is told of changes: the caller, the callees, whoever took part; not who was removed from the group. */
  told_ids: string[];
  /** When the ringing ends by itself; unset once nobody rings any more. */
  ring_until?: Date;
  /** Grows by one with each change: what a conditional update compares. */
  version: number;
}

/** Something to be told by `call:updated` to all devices of some users. */
export interface Notice {
  to: string[];
  reason: CallReason;
  user_id?: string;
}

const UNANSWERED: ReadonlySet<CallStatus> = new Set(['initiated', 'ringing']);

/** Whether nobody has answered yet. */
export const isUnanswered = (call: Pick<Call, 'status'>) => UNANSWERED.has(call.status);
/** Whether the call is in a final state. */
export const isOver = (call: Pick<Call, 'status'>) => !UNANSWERED.has(call.status) && call.status !== 'ongoing';
export const seatOf = (call: Call, userId: string) => call.seats.find((seat) => seat.user_id === userId);
/** The device on which a user has the call; undefined without one. */
export function deviceOf(seat: Seat | undefined): Device | undefined {
  return seat && 'socket_id' in seat ? seat : undefined;
}

/** Whole seconds from the answer to the end (or 0 before it), rounded down. */
export function durationOf({ answered_at, ended_at }: Pick<Call, 'answered_at' | 'ended_at'>): number {
  if (!answered_at || !ended_at) return 0;
  return Math.max(0, Math.floor((ended_at.getTime() - answered_at.getTime()) / 1000));
}

/** What time does to a call: the ringing ends, or a lost connection has not come back. */
export type Due = { type: 'ring_timeout' } | { type: 'grace_over'; user: string };

/** The next thing that time will do to a call, and when; undefined when it is over or nothing is pending. */
export function nextDue(call: Call): { at: Date; event: Due } | undefined {
  if (isOver(call)) return undefined;
  const pending: { at: Date; event: Due }[] = [];
  if (call.ring_until) pending.push({ at: call.ring_until, event: { type: 'ring_timeout' } });
  for (const seat of call.seats) {
    if ('lost_until' in seat) pending.push({ at: seat.lost_until, event: { type: 'grace_over', user: seat.user_id } });
  }
  return pending.sort((a, b) => a.at.getTime() - b.at.getTime())[0];
}
