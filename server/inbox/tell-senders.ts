import type { ObjectId } from 'mongodb';
import type { Bus } from '../bus/bus.ts';
import type { MarkRequest } from './mark-request.ts';
import type { MarkChange } from './marks.ts';
import type { ReadingAudience } from './reading-audience.ts';

/** Tells senders of a user's marks: all of them of a delivery, of a reading only those who may learn of it. */
export function tellSenders(
  bus: Bus,
  { caller, conversation }: MarkRequest,
  { shown, hidden, blind }: ReadingAudience,
  { before, after }: MarkChange,
  at: Date,
): void {
  const tell = (senders: ObjectId[], read_seq: number) => {
    if (senders.length === 0) return;
    const status = {
      conversation_id: conversation.id,
      user_id: caller.id,
      delivered_seq: after.delivered_seq,
      read_seq,
      at: at.toISOString(),
    };
    bus.emit({ users: senders.map((sender) => sender.toHexString()) }, 'message:status', status, { by: caller.id });
  };
  if (after.delivered_seq > before.delivered_seq) {
    // A hidden reading has left the shown mark where it was, so this reveals nothing.
    tell([...shown, ...hidden], after.shown_read_seq);
    tell(blind, 0);
  } else if (after.shown_read_seq > before.shown_read_seq) {
    tell(shown, after.shown_read_seq);
  }
}
