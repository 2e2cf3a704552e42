/** The wire form of a conversation as one user sees it. */
import type { ObjectId } from 'mongodb';
import type { Conversation, Receipt } from '../../shared/contract/documents.ts';
import { byTime, shown, type UnsettledMarks } from '../conversations/shown-messages.ts';
import type { UserDocument } from '../model/documents/accounts.ts';
import type { DraftDocument, MembershipDocument } from '../model/documents/conversations.ts';
import { toWireGroup } from '../model/views/group.ts';
import { toWireMessage } from '../model/views/message.ts';
import { toPublicUser } from '../model/views/user.ts';
import { activityOf } from './outline.ts';
import type { CheckedPlace } from './place.ts';

/** A member's marks. */
export type Marks = UnsettledMarks & Pick<MembershipDocument, 'read_seq' | 'shown_read_seq' | 'settling_from'>;

/** What the views of a user's conversations are made from, besides the places. */
export interface ViewSources {
  /** Whose view it is. */
  userId: ObjectId;
  /** The user and the peers of the pairs, by id. */
  users: Map<string, UserDocument>;
  /** The marks of all who are or were in a conversation, by conversation id. */
  marks: Map<string, Marks[]>;
  /** By conversation id. */
  unread: Map<string, number>;
  /** How many unread messages mention the user, by conversation id. */
  mentions: Map<string, number>;
  /** The user's own, by conversation id. */
  drafts: Map<string, DraftDocument>;
}

export function toWireConversation(
  place: CheckedPlace,
  { userId, users, marks, unread, mentions, drafts }: ViewSources,
): Conversation {
  const { id, summary, membership, group, fromSeq } = place;
  const peer = membership.peer_id && users.get(membership.peer_id.toHexString());
  const members = group && new Set(group.members.map((member) => member.toHexString()));
  // In a pair, the marks themselves already follow the settings of both.
  const seesReadings = !group || users.get(userId.toHexString())?.settings.read_receipts_enabled !== false;
  const last = summary.last_message;
  const unsettled = (marks.get(id) ?? []).filter(({ settling_from }) => settling_from !== undefined).sort(byTime);
  return {
    conversation_id: id,
    kind: summary.kind,
    ...(peer ? { peer: toPublicUser(peer) } : {}),
    ...(group ? { group: toWireGroup(group) } : {}),
    last_message: last && last.seq > fromSeq ? toWireMessage(shown(last, unsettled)) : null,
    last_seq: summary.last_seq,
    rev: summary.rev,
    unread_count: unread.get(id) ?? 0,
    mention_count: mentions.get(id) ?? 0,
    receipts: (marks.get(id) ?? [])
      .filter(({ user_id }) => members?.has(user_id.toHexString()) ?? true)
      .map((member) => toReceipt(member, userId, seesReadings)),
    ...toWireSettings(membership),
    ...toWireDraft(drafts.get(id)),
    updated_at: activityOf(summary, membership).toISOString(),
  };
}

/** A member's marks as the viewer may see them: the viewer's own in full, those of others without hidden readings. */
function toReceipt(member: Marks, viewerId: ObjectId, seesReadings: boolean): Receipt {
  const { delivered_seq, read_seq, shown_read_seq } = member;
  const user_id = member.user_id.toHexString();
  // A reading under a block is not told as a delivery, so only the reader's own devices see it as one.
  if (member.user_id.equals(viewerId)) {
    return { user_id, delivered_seq: Math.max(delivered_seq, read_seq), read_seq };
  }
  return { user_id, delivered_seq, read_seq: seesReadings ? shown_read_seq : 0 };
}

function toWireDraft(draft: DraftDocument | undefined) {
  return draft ? { draft: { content: draft.content, updated_at: draft.updated_at.toISOString() } } : {};
}

function toWireSettings({ muted_until, pinned, archived }: MembershipDocument) {
  return {
    ...(muted_until ? { muted_until: muted_until.toISOString() } : {}),
    ...(pinned === undefined ? {} : { pinned }),
    ...(archived === undefined ? {} : { archived }),
  };
}
