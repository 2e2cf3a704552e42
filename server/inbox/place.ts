/** A user's place in a conversation: the membership, the summary, and what the user may see. */
import type { MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { CheckedSummary } from './summary-check.ts';

/** A place whose summary agrees with the stored messages. */
export interface CheckedPlace {
  /** The conversation's id. */
  id: string;
  membership: MembershipDocument;
  summary: CheckedSummary;
  /** Undefined in a pair. */
  group?: GroupDocument;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
}
