/** The messages of all conversations: pairs' in one collection, groups' in another, behind one interface. */
import type { Collection, ObjectId, UpdateFilter } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { createInserts, type Stored } from './message-inserts.ts';
import { createShowMessages, type ShowMessages } from './shown-messages.ts';

/**
 * How many of its earlier revs a message keeps. The unique index over them keeps a rev from being given twice. One that
 * falls out could be given again only by a node that has not looked at the conversation since, while others changed this
 * one message that many times and nothing else.
 */
const REMEMBERED_REVS = 1000;

export interface MessageStore {
  /** Stores messages of one conversation in their order, up to the first that is refused. */
  insert(conversation: ConversationRef, documents: MessageDocument[]): Promise<Stored>;
  /** The collection for a kind of conversation. */
  of(kind: ConversationRef['kind']): Collection<MessageDocument>;
  /** Messages of any conversations with what the marks say of them. */
  show: ShowMessages;
  /** A message by its id, whichever kind of conversation it belongs to. */
  find(messageId: ObjectId): Promise<MessageDocument | null>;
  /** The highest `seq`, or `rev`, stored; 0 where there is none. */
  highest(field: 'seq' | 'rev', conversation: ConversationRef): Promise<number>;
  /** Both of them. */
  newest(conversation: ConversationRef): Promise<{ seq: number; rev: number }>;
  /** The message that a sender stored under a `client_message_id`. */
  sent(conversation: ConversationRef, senderId: ObjectId, clientMessageId: string): Promise<MessageDocument | null>;
  /** Those messages of a conversation that are stored, ascending by `seq`. */
  findAll(conversation: ConversationRef, messageIds: ObjectId[]): Promise<MessageDocument[]>;
  /** The messages above a `rev`, ascending by `rev`. */
  changes(conversation: ConversationRef, aboveRev: number, limit: number): Promise<MessageDocument[]>;
  /** Changes a message and puts it at `rev`, unless it has changed since it was read: then null. */
  amend(document: MessageDocument, rev: number, update: UpdateFilter<MessageDocument>): Promise<MessageDocument | null>;
}

/** @param collections the collections of the database */
export function createMessageStore(collections: Collections): MessageStore {
  const { messages, group_messages } = collections;
  const direct = messages as unknown as Collection<MessageDocument>;
  const group = group_messages as unknown as Collection<MessageDocument>;
  const of = (kind: ConversationRef['kind']) => (kind === 'direct' ? direct : group);
  const show = createShowMessages(collections);
  const inserts = { direct: createInserts(direct), group: createInserts(group) };

  async function highest(field: 'seq' | 'rev', { id, kind }: ConversationRef): Promise<number> {
    const [found] = await of(kind)
      .find({ conversation_id: id }, { projection: { _id: 0, [field]: 1 } })
      .sort({ [field]: -1 })
      .limit(1)
      .toArray();
    return found?.[field] ?? 0;
  }

  return {
    of,
    show,
    insert: ({ kind }, documents) => inserts[kind](documents),
    async find(_id) {
      const [inPair, inGroup] = await Promise.all([direct.findOne({ _id }), group.findOne({ _id })]);
      return inPair ?? inGroup;
    },
    highest,
    async newest(conversation) {
      const [seq, rev] = await Promise.all([highest('seq', conversation), highest('rev', conversation)]);
      return { seq, rev };
    },
    sent: ({ id, kind }, sender_id, client_message_id) =>
      of(kind).findOne({ conversation_id: id, sender_id, client_message_id }),
    findAll: ({ kind }, messageIds) =>
      of(kind)
        .find({ _id: { $in: messageIds } }, { sort: { seq: 1 } })
        .toArray(),
    changes: ({ id, kind }, aboveRev, limit) =>
      of(kind)
        .find({ conversation_id: id, rev: { $gt: aboveRev } }, { projection: { terms: 0 } })
        .sort({ rev: 1 })
        .limit(limit)
        .toArray(),
    amend: (document, rev, update) =>
      of('group_id' in document ? 'group' : 'direct').findOneAndUpdate(
        { _id: document._id, rev: document.rev },
        {
          ...update,
          $set: { ...update.$set, rev },
          $push: { ...update.$push, revs: { $each: [rev], $slice: -REMEMBERED_REVS } },
        },
        { returnDocument: 'after' },
      ),
  };
}
