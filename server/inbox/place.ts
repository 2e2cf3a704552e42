/** A user's place in a conversation: the membership, the summary, and what the user may see. */
import type { Visibility } from '../conversations/visibility.ts';
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

/** When the conversation was last active for its user: a group is active at least since the user joined it. */
export function activityOf({ summary, membership }: Pick<Place, 'summary' | 'membership'>): Date {
  if (summary.kind === 'direct') return summary.activity_at;
  return new Date(Math.max(summary.activity_at.getTime(), membership.joined_at.getTime()));
}

/**
 * Joins what is stored about conversations into places. Leaves out pairs without a summary and groups that are not
 * among `groups`, because a membership outlives the stay.
 * @param groups the groups that the user is in: only the group's document says who is
 */
export function joinPlaces(
  visibility: Visibility,
  memberships: MembershipDocument[],
  summaries: ConversationDocument[],
  groups: GroupDocument[],
): Place[] {
  const summaryOf = new Map(summaries.map((summary) => [summary._id, summary]));
  const groupOf = new Map(groups.map((group) => [group._id.toHexString(), group]));
  return memberships.flatMap((membership): Place[] => {
    const id = membership.conversation_id;
    const group = groupOf.get(id);
    const summary = summaryOf.get(id) ?? (group && emptySummary(group));
    if (!summary || (membership.kind === 'group' && !group)) return [];
    return [{ id, membership, summary, ...(group ? { group } : {}), fromSeq: visibility.fromSeq(membership) }];
  });
}

/** The summary of a group in which nothing was written yet. */
function emptySummary({ _id, created_at }: GroupDocument): ConversationDocument {
  return {
    _id: _id.toHexString(),
    kind: 'group',
    group_id: _id,
    last_seq: 0,
    rev: 0,
    activity_at: created_at,
    changed_at: created_at,
    created_at,
  };
}
