/** Counts replies that a user has not read: those of others, above the user's mark, that are not deleted. */
import type { Document, ObjectId } from 'mongodb';
import type { MessageStore } from '../../conversations/message-store.ts';
import { KINDS, refFromId } from '../../model/conversation-ref.ts';

/** A user's place in a thread. */
export interface ThreadPlace {
  root_id: ObjectId;
  conversation_id: string;
  read_seq: number;
}

/** @returns by the root's id, by one command for each kind of conversation; threads without any are left out */
export async function countUnreadReplies(
  store: Pick<MessageStore, 'of'>,
  userId: ObjectId,
  places: readonly ThreadPlace[],
): Promise<Map<string, number>> {
  const found = await Promise.all(
    KINDS.map((kind) => {
      const some = places.filter(({ conversation_id }) => refFromId(conversation_id).kind === kind);
      if (some.length === 0) return [];
      const alternatives = some.map(
        ({ conversation_id, root_id, read_seq }): Document => ({
          conversation_id,
          thread_id: root_id,
          is_deleted: false,
          sender_id: { $ne: userId },
          seq: { $gt: read_seq },
        }),
      );
      return store
        .of(kind)
        .aggregate<{ _id: ObjectId; count: number }>([
          { $match: { $or: alternatives } },
          { $project: { _id: 0, thread_id: 1 } },
          { $group: { _id: '$thread_id', count: { $sum: 1 } } },
        ])
        .toArray();
    }),
  );
  return new Map(found.flat().map(({ _id, count }) => [_id.toHexString(), count]));
}
