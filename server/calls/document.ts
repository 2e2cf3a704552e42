/** Translates calls between the stored document and the machine's value. */
import { ObjectId } from 'mongodb';
import { fromId } from '../model/codec.ts';
import type { CallDocument, CallSeat } from '../model/documents/calls.ts';
import { type Call, durationOf, isOver, type Seat } from './call.ts';
import { nextDeadline } from './deadline.ts';

const hex = (id: ObjectId) => id.toHexString();

/** A seat as the machine sees it. */
export function toSeat({ user_id, socket_id, node_id, lost_until }: CallSeat): Seat {
  return lost_until
    ? { user_id: hex(user_id), lost_until }
    : { user_id: hex(user_id), socket_id: socket_id!, node_id: node_id! };
}

/** The stored call as the machine sees it. */
export function toCall(document: CallDocument): Call {
  return {
    id: hex(document._id),
    kind: document.group_id ? 'group' : 'direct',
    conversation_id: document.conversation_id,
    caller_id: hex(document.caller_id),
    ...(document.recipient_id ? { recipient_id: hex(document.recipient_id) } : {}),
    ...(document.group_id ? { group_id: hex(document.group_id) } : {}),
    call_type: document.call_type,
    metadata: document.metadata,
    status: document.status,
    started_at: document.started_at,
    ...(document.answered_at ? { answered_at: document.answered_at } : {}),
    ...(document.ended_at ? { ended_at: document.ended_at } : {}),
    participants: document.participants.map((stay) => ({ ...stay, user_id: hex(stay.user_id) })),
    seats: document.seats.map(toSeat),
    ringing_ids: document.ringing_ids.map(hex),
    told_ids: document.told_ids.map(hex),
    ...(document.ring_until ? { ring_until: document.ring_until } : {}),
    version: document.version,
  };
}

/** The document of this version of a call, with a new `write_id` and all that is derived for queries. */
export function toDocument(call: Call): CallDocument {
  const { id, kind, caller_id, recipient_id, group_id, participants, seats, ringing_ids, told_ids, ...same } = call;
  const deadline = nextDeadline(call);
  return {
    ...same,
    _id: fromId(id),
    caller_id: fromId(caller_id),
    ...(recipient_id ? { recipient_id: fromId(recipient_id), party_ids: [caller_id, recipient_id].map(fromId) } : {}),
    ...(group_id ? { group_id: fromId(group_id) } : {}),
    duration: durationOf(call),
    participants: participants.map((stay) => ({ ...stay, user_id: fromId(stay.user_id) })),
    seats: seats.map((seat) => ({ ...seat, user_id: fromId(seat.user_id) })),
    ringing_ids: ringing_ids.map(fromId),
    told_ids: told_ids.map(fromId),
    ...(deadline ? { deadline_at: deadline.at } : {}),
    ...(isOver(call) ? {} : { is_open: true }),
    write_id: new ObjectId(),
  };
}
