/** A user's conversation in outline: enough to say where it is listed and what a client lacks of it. */
import { emptyGroupSummary } from '../conversations/group-summary.ts';
import type { ConversationDocument, MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { ListPosition } from './list-position.ts';

/** Its position is that of its last activity; it may move up at any time. */
export interface Outline extends ListPosition {
  /** As stored: it may be ahead of the messages, or behind them. */
  summary: ConversationDocument;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
  /** Undefined for a pair that is read among many. */
  membership?: MembershipDocument;
  /** When a group's document changed last; undefined in a pair. */
  groupChangedAt?: Date;
}

/** What an outline needs of a group's document. */
export type GroupOutline = Pick<GroupDocument, '_id' | 'created_at' | 'updated_at'>;

/** When a conversation was last active for its user: a group is active at least since the user joined it. */
export function activityOf(summary: ConversationDocument, membership: MembershipDocument | undefined): Date {
  if (summary.kind === 'direct' || !membership) return summary.activity_at;
  return new Date(Math.max(summary.activity_at.getTime(), membership.joined_at.getTime()));
}

/** Nothing in a pair lies before its users. */
export function outlineOfPair(summary: ConversationDocument): Outline {
  return { id: summary._id, at: summary.activity_at.getTime(), summary, fromSeq: 0 };
}

/** @param summary undefined where nothing was written yet */
export function outlineOfGroup(
  group: GroupOutline,
  membership: MembershipDocument,
  fromSeq: number,
  summary: ConversationDocument = emptyGroupSummary(group),
): Outline {
  const at = activityOf(summary, membership).getTime();
  return { id: summary._id, at, summary, fromSeq, membership, groupChangedAt: group.updated_at };
}

/** Whether messages above a `rev` may be visible. */
export function hasAbove({ summary, fromSeq }: Pick<Outline, 'summary' | 'fromSeq'>, rev: number): boolean {
  return summary.rev > rev && summary.last_seq > fromSeq;
}
