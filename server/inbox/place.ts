/** A user's place in a conversation: the membership, the summary, and what the user may see. */
import type { ConversationDocument, MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { CheckedSummary } from './summary-check.ts';

export interface Place {
  /** The conversation's id. */
  id: string;
  membership: MembershipDocument;
  /** As stored: it may be ahead of the messages, or behind them. */
  summary: ConversationDocument;
  /** Undefined in a pair. */
  group?: GroupDocument;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
}

/** A place whose summary agrees with the stored messages. */
export interface CheckedPlace extends Place {
  summary: CheckedSummary;
}
