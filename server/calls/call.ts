/** A call as the state machine sees it: plain values, ids as hex characters, no I/O. */
import type { CallReason } from '../../shared/contract/calls.ts';

export type CallStatus = 'initiated' | 'ringing' | 'ongoing' | 'ended' | 'missed' | 'rejected';

/** One stay in the call. A user who comes back gets a new one. */
export interface Stay {
  user_id: string;
  joined_at: Date;
  left_at?: Date;
}

/** One connection of a user: a socket and the node that holds it. */
export interface Device {
  socket_id: string;
  node_id: string;
}

/** Where a user has the call: on a device or, after its connection was lost, nowhere until the grace period ends. */
export type Seat = { user_id: string } & (Device | { lost_until: Date });

export interface Call {
  id: string;
  kind: 'direct' | 'group';
  conversation_id: string;
  caller_id: string;
  /** Only in a pair's call. */
  recipient_id?: string;
  /** Only in a group's call. */
  group_id?: string;
  call_type: 'voice' | 'video';
  metadata: Record<string, unknown>;
  status: CallStatus;
  started_at: Date;
  answered_at?: Date;
  ended_at?: Date;
  /** Every stay so far, in order of joining. */
  participants: Stay[];
  /** Who is in the call now, and where: one seat for each stay that has not ended. */
  seats: Seat[];
  /** Callees whose devices ring. */
  ringing_ids: string[];
  /** Who is told of changes: the caller, the callees and everyone who took part, except removed group members. */
  told_ids: string[];
  /** The ring timeout; unset once an answered call rings for nobody, and when the call is over. */
  ring_until?: Date;
  /** Grows by one with each change; the conditional update compares it. */
  version: number;
}

/** One `call:updated` for all devices of some users. */
export interface Notice {
  to: string[];
  reason: CallReason;
  user_id?: string;
}

const UNANSWERED: ReadonlySet<CallStatus> = new Set(['initiated', 'ringing']);

/** Whether nobody has answered yet. */
export const isUnanswered = ({ status }: Pick<Call, 'status'>) => UNANSWERED.has(status);
/** Whether the call is in a final state. */
export const isOver = ({ status }: Pick<Call, 'status'>) => !UNANSWERED.has(status) && status !== 'ongoing';

/** The seat of a user; undefined when the user is not in the call. */
export const seatOf = ({ seats }: Pick<Call, 'seats'>, userId: string): Seat | undefined =>
  seats.find((seat) => seat.user_id === userId);

/** The device that holds a seat; undefined without a seat and while its connection is lost. */
export const deviceOf = (seat: Seat | undefined): Device | undefined =>
  seat && 'socket_id' in seat ? seat : undefined;

/** Whole seconds from the answer to the end, rounded down; 0 before the end and for a call that nobody answered. */
export function durationOf({ answered_at, ended_at }: Pick<Call, 'answered_at' | 'ended_at'>): number {
  if (!answered_at || !ended_at) return 0;
  return Math.max(0, Math.floor((ended_at.getTime() - answered_at.getTime()) / 1000));
}
