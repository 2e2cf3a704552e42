import type { Document, ObjectId } from 'mongodb';
import { mentioning } from '../conversations/mentioned.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { type ConversationRef, KINDS } from '../model/conversation-ref.ts';
import type { ConversationDocument, MembershipDocument } from '../model/documents/conversations.ts';
import type { Part } from './read-together.ts';

/** How many messages are unread; a conversation without any has no such count. */
export interface UnreadCount {
  /** The conversation's id. */
  _id: string;
  count: number;
}

/** How many unread messages mention the user; a conversation without any has no such count. */
export interface MentionCount {
  /** The conversation's id. */
  _id: string;
  mentions: number;
}

/** What the unread messages of a place are counted by. */
export interface Countable {
  id: string;
  summary: Pick<ConversationDocument, 'kind' | 'last_seq'>;
  membership: Pick<MembershipDocument, 'read_seq'>;
  fromSeq: number;
}

/** What may be unread: of others, not deleted, and no reply in a thread that is not part of the conversation. */
const unreadOf = (userId: ObjectId) => ({
  is_deleted: false,
  sender_id: { $ne: userId },
  aside: { $ne: true as const },
});

/** Counts a user's unread messages in one conversation above a `seq`: sent by others, not deleted. */
export async function countUnreadAbove(
  store: MessageStore,
  { id, kind }: ConversationRef,
  userId: ObjectId,
  above: number,
): Promise<number> {
  const [counted] = await store
    .of(kind)
    .aggregate<{ count: number }>(
      [{ $match: { conversation_id: id, seq: { $gt: above }, ...unreadOf(userId) } }, { $count: 'count' }],
      { hint: 'unread' },
    )
    .toArray();
  return counted?.count ?? 0;
}

/**
 * Counts the unread messages in each of a user's places: visible, sent by others, above the user's mark, not deleted.
 * @returns parts of what is read together: one for all pairs, one for all groups
 */
export function unreadParts(store: MessageStore, userId: ObjectId, places: readonly Countable[]): Part[] {
  return countParts(store, places, unreadOf(userId), 'count');
}

/** Counts those of them that mention the user, likewise. */
export function mentionParts(store: MessageStore, userId: ObjectId, places: readonly Countable[]): Part[] {
  return countParts(store, places, mentioning(userId), 'mentions');
}

function countParts(store: MessageStore, places: readonly Countable[], what: Document, as: string): Part[] {
  return KINDS.flatMap((kind): Part[] => {
    const alternatives = places.flatMap(({ id, summary, membership, fromSeq }) => {
      const above = Math.max(fromSeq, membership.read_seq);
      if (summary.kind !== kind || above >= summary.last_seq) return [];
      // Every condition stands in each alternative, so that all of them bound the index.
      return [{ conversation_id: id, seq: { $gt: above }, ...what }];
    });
    if (alternatives.length === 0) return [];
    const stages = [
      { $match: { $or: alternatives } },
      { $project: { _id: 0, conversation_id: 1 } },
      { $group: { _id: '$conversation_id', [as]: { $sum: 1 } } },
    ];
    return [{ collection: store.of(kind), stages }];
  });
}
