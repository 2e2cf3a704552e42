import type { ObjectId } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import { ONE_BATCH } from './one-batch.ts';
import type { Place } from './place.ts';

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
      [
        { $match: { conversation_id: id, is_deleted: false, seq: { $gt: above }, sender_id: { $ne: userId } } },
        { $count: 'count' },
      ],
      { hint: 'unread' },
    )
    .toArray();
  return counted?.count ?? 0;
}

/**
 * Counts the unread messages in each of a user's places: visible, sent by others, above the user's mark, not deleted.
 * One query for all pairs, one for all groups.
 * @returns by conversation id; conversations without unread messages are left out
 */
export async function countUnread(
  store: MessageStore,
  userId: ObjectId,
  places: readonly Place[],
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const ofKind = async (kind: ConversationRef['kind']) => {
    const alternatives = places.flatMap(({ id, summary, membership, fromSeq }) => {
      const above = Math.max(fromSeq, membership.read_seq);
      if (summary.kind !== kind || above >= summary.last_seq) return [];
      // Every condition stands in each alternative, so that all of them bound the index.
      return [{ conversation_id: id, is_deleted: false, seq: { $gt: above }, sender_id: { $ne: userId } }];
    });
    if (alternatives.length === 0) return;
    const cursor = store
      .of(kind)
      .aggregate<{ _id: string; count: number }>(
        [
          { $match: { $or: alternatives } },
          { $project: { _id: 0, conversation_id: 1 } },
          { $group: { _id: '$conversation_id', count: { $sum: 1 } } },
        ],
        { batchSize: ONE_BATCH },
      );
    for await (const { _id, count } of cursor) counts.set(_id, count);
  };
  await Promise.all([ofKind('direct'), ofKind('group')]);
  return counts;
}
