/** Look-ups for many documents at once. */
import type { ObjectId } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import { KINDS, refFromId } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';

/** What a check must know of a message that something points to. */
export type Known = Pick<MessageDocument, '_id' | 'conversation_id' | 'seq' | 'is_deleted' | 'has_thread'>;

/** The messages with these ids that exist, in any conversation, by id. */
export async function messagesById(store: Pick<MessageStore, 'of'>, ids: ObjectId[]): Promise<Map<string, Known>> {
  const projection = { conversation_id: 1, seq: 1, is_deleted: 1, has_thread: 1 };
  const found = await Promise.all(
    KINDS.map((kind) =>
      store
        .of(kind)
        .find<Known>({ _id: { $in: ids } }, { projection })
        .toArray(),
    ),
  );
  return new Map(found.flat().map((message) => [message._id.toHexString(), message]));
}

/** The highest `seq`, or `rev`, of conversations that have messages. */
export async function highestOf(
  store: Pick<MessageStore, 'of'>,
  field: 'seq' | 'rev',
  conversationIds: Iterable<string>,
): Promise<Map<string, number>> {
  const highest = new Map<string, number>();
  const ids = [...new Set(conversationIds)];
  for (const kind of KINDS) {
    const some = ids.filter((id) => refFromId(id).kind === kind);
    if (some.length === 0) continue;
    const found = await store
      .of(kind)
      .aggregate<{ _id: string; highest: number }>([
        { $match: { conversation_id: { $in: some } } },
        { $group: { _id: '$conversation_id', highest: { $max: `$${field}` } } },
      ])
      .toArray();
    for (const one of found) highest.set(one._id, one.highest);
  }
  return highest;
}
