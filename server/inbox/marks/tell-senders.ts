import type { Bus } from '../../bus/bus.ts';
import type { MarkAudience } from './mark-audience.ts';
import type { MarkState } from './mark-state.ts';

/** Tells senders of a user's marks: all of them of a delivery, of a reading only those who may learn of it. */
export function tellSenders(
  bus: Pick<Bus, 'emit'>,
  { conversationId, userId }: { conversationId: string; userId: string },
  { shown, hidden, blind }: MarkAudience,
  before: MarkState,
  after: MarkState,
  at: Date,
): void {
  const tell = (users: string[], read_seq: number) => {
    if (users.length === 0) return;
    const { delivered_seq } = after;
    const status = { conversation_id: conversationId, user_id: userId, delivered_seq, read_seq, at: at.toISOString() };
    bus.emit({ users }, 'message:status', status, { by: userId });
  };
  if (after.delivered_seq > before.delivered_seq) {
    // A hidden reading has left the shown mark where it was, so this reveals nothing.
    tell([...shown, ...hidden], after.shown_read_seq);
    tell(blind, 0);
  } else if (after.shown_read_seq > before.shown_read_seq) {
    tell(shown, after.shown_read_seq);
  }
}
