/** The two collections of messages behind one face: a conversation lives in one of them as a whole. */
import type { Collection, Filter, ObjectId, UpdateFilter } from 'mongodb';
import type { Collections } from '../database/collections.ts';
import type { MessageDocument } from '../database/documents.ts';
import type { ConversationRef } from '../fanout/operations.ts';

export interface MessageStore {
  /** The collection that a kind of conversation lives in. */
  of(kind: ConversationRef['kind']): Collection<MessageDocument>;
  /** A message by its id, whichever kind it is. */
  find(messageId: ObjectId): Promise<MessageDocument | null>;
  /** The highest `seq` and `rev` that are stored; zeros where nothing is. */
  newest(conversation: ConversationRef): Promise<{ seq: number; rev: number }>;
  /** What was sent under a `client_message_id` before. */
  sent(conversation: ConversationRef, senderId: ObjectId, clientMessageId: string): Promise<MessageDocument | null>;
  /** The messages whose `rev` is above the given one, ascending by it. */
  changes(conversation: ConversationRef, aboveRev: number, limit: number): Promise<MessageDocument[]>;
  /** Changes a message if it is still at the given `rev`; null when it is not. */
  amend(document: MessageDocument, update: UpdateFilter<MessageDocument>): Promise<MessageDocument | null>;
}

/** @param collections the collections of the database */
export function createMessageStore({ messages, group_messages }: Collections): MessageStore {
  const of = (kind: ConversationRef['kind']) =>
    (kind === 'direct' ? messages : group_messages) as unknown as Collection<MessageDocument>;
  const newestBy = async (conversation: ConversationRef, field: 'seq' | 'rev') => {
    const [found] = await of(conversation.kind)
      .find({ conversation_id: conversation.id }, { projection: { _id: 0, [field]: 1 } })
      .sort({ [field]: -1 })
      .limit(1)
      .toArray();
    return found?.[field] ?? 0;
  };
  return {
    of,
    async find(messageId) {
      const filter: Filter<MessageDocument> = { _id: messageId };
      const [pair, group] = await Promise.all([of('direct').findOne(filter), of('group').findOne(filter)]);
      return pair ?? group;
    },
    async newest(conversation) {
      const [seq, rev] = await Promise.all([newestBy(conversation, 'seq'), newestBy(conversation, 'rev')]);
      return { seq, rev };
    },
    sent: (conversation, sender_id, client_message_id) =>
      of(conversation.kind).findOne({ conversation_id: conversation.id, sender_id, client_message_id }),
    changes: (conversation, aboveRev, limit) =>
      of(conversation.kind)
        .find({ conversation_id: conversation.id, rev: { $gt: aboveRev } }, { projection: { terms: 0 } })
        .sort({ rev: 1 })
        .limit(limit)
        .toArray(),
    amend: (document, update) =>
      of('group_id' in document ? 'group' : 'direct').findOneAndUpdate(
        { _id: document._id, rev: document.rev },
        update,
        {
          returnDocument: 'after',
        },
      ),
  };
}
