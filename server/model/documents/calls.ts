import type { ObjectId } from 'mongodb';
import type { Outgoing } from './outbox.ts';

export interface CallParticipant {
  user_id: ObjectId;
  joined_at: Date;
  left_at?: Date;
}

/** A participant's seat in a call: on a socket of a node, or, once that is lost, nowhere until the grace period ends. */
export interface CallSeat {
  user_id: ObjectId;
  socket_id?: string;
  node_id?: string;
  lost_until?: Date;
}

/** A call. The fields after `metadata` are internal and never go over the wire. */
export interface CallDocument extends Outgoing {
  _id: ObjectId;
  caller_id: ObjectId;
  recipient_id?: ObjectId;
  group_id?: ObjectId;
  call_type: 'voice' | 'video';
  started_at: Date;
  ended_at?: Date;
  status: 'initiated' | 'ringing' | 'ongoing' | 'ended' | 'missed' | 'rejected';
  duration: number;
  participants: CallParticipant[];
  metadata: Record<string, unknown>;
  conversation_id: string;
  /** The two users of a direct call. */
  party_ids?: ObjectId[];
  answered_at?: Date;
  /** The users who are in the call now. */
  seats: CallSeat[];
  /** The callees whose devices ring. */
  ringing_ids: ObjectId[];
  /** The users who are told of changes. */
  told_ids: ObjectId[];
  ring_until?: Date;
  /** When the next deadline changes the call; sweepers look for it. */
  deadline_at?: Date;
  /** Present until the call is over; the partial indexes depend on it. */
  is_open?: true;
  /** Grows by one with each change; each conditional update compares it. */
  version: number;
  /** Names the write that made this version: shows whether a write arrived whose answer did not. */
  write_id: ObjectId;
}
