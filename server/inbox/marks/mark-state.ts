/** A user's marks in a conversation, and how they grow. Pure. */
import type { ObjectId } from 'mongodb';
import { withShownRead } from '../../conversations/shown-reads.ts';
import type { MembershipDocument } from '../../model/documents/conversations.ts';

export type MarkState = Pick<
  MembershipDocument,
  'delivered_seq' | 'read_seq' | 'shown_read_seq' | 'shown_reads' | 'settling_from'
>;

/** How far marks are to grow; 0 leaves one where it is. */
export interface Wanted {
  deliveredTo: number;
  readTo: number;
}

/** Who may know of it. */
export interface Showing {
  /** In a pair: a block lies between the two, so that nothing passes. */
  isBlocked: boolean;
  /** Whether a reading raises the mark that others see. */
  raisesShownMark: boolean;
  /** Senders in the range who must not know of the reading. */
  except: readonly ObjectId[];
  /** Whether stored messages carry how far they were delivered: those of pairs do. */
  carriesDelivery: boolean;
}

/** Whether a wanted mark lies above the present one. */
export function grows(state: MarkState, { deliveredTo, readTo }: Wanted): boolean {
  return deliveredTo > state.delivered_seq || readTo > state.read_seq;
}

/** The marks after they grow. Under a block only the reader's own mark grows. */
export function raised(state: MarkState, { deliveredTo, readTo }: Wanted, showing: Showing): MarkState {
  const read_seq = Math.max(state.read_seq, readTo);
  if (showing.isBlocked) return { ...state, read_seq };
  const next: MarkState = { ...state, read_seq, delivered_seq: Math.max(state.delivered_seq, deliveredTo) };
  if (read_seq > state.read_seq && showing.raisesShownMark) {
    next.shown_read_seq = Math.max(state.shown_read_seq, read_seq);
    next.shown_reads = withShownRead(state.shown_reads ?? [], state.read_seq, read_seq, showing.except);
  }
  const saysNews = next.shown_reads !== state.shown_reads;
  if (saysNews || (showing.carriesDelivery && next.delivered_seq > state.delivered_seq)) {
    next.settling_from = state.settling_from ?? Math.min(state.delivered_seq, state.read_seq);
  }
  return next;
}

/**
 * Marks once the stored messages say what earlier marks said: what marks have grown since is left to be settled.
 * @param done the marks as they were
 */
export function settled(state: MarkState, done: MarkState): MarkState {
  const { shown_reads = [], settling_from, ...marks } = state;
  if (settling_from === undefined || areSame(state, done)) return marks;
  const left = shown_reads.flatMap((range) =>
    range.to > done.read_seq ? { ...range, from: Math.max(range.from, done.read_seq) } : [],
  );
  return { ...marks, shown_reads: left, settling_from: Math.max(settling_from, done.delivered_seq) };
}

/** Whether marks are the same, however much of them is settled. */
export function areSame(one: MarkState, other: MarkState): boolean {
  return (
    one.delivered_seq === other.delivered_seq &&
    one.read_seq === other.read_seq &&
    one.shown_read_seq === other.shown_read_seq
  );
}

/** Whether others see that marks have grown. */
export function isSeenByOthers(before: MarkState, after: MarkState): boolean {
  return after.delivered_seq > before.delivered_seq || after.shown_read_seq > before.shown_read_seq;
}
