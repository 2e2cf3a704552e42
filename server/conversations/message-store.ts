/** The two collections of messages behind one face: a conversation lives in one of them as a whole. */
import type { Collection, Filter, ObjectId, UpdateFilter } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { type Refusal, refusals } from '../model/failures.ts';
import { batched } from '../lib/group-commit.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** What became of messages that were to be stored in their order. */
export interface Stored {
  /** How many of them were stored, from the first on. */
  count: number;
  /** Why the one after them was refused; undefined when all were stored. */
  refusal?: Refusal | undefined;
}

/** Messages of one conversation that are stored together. */
export const MAX_BATCH = 200;
/** Messages in one command to the store, if they are of several conversations. */
const MAX_COMMAND = 64;

/**
 * How many of its earlier revs a message keeps. What falls out of them could be given again only by a node that has not
 * looked at the conversation since, while others changed this one message so many times and nothing else.
 */
const REMEMBERED_REVS = 1000;

export interface MessageStore {
  /**
   * Stores messages of one conversation in their order, up to the first that is refused. What is to be stored in
   * different conversations at once goes to the store as one write.
   */
  insert(conversation: ConversationRef, documents: MessageDocument[]): Promise<Stored>;
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
  /** Changes a message and puts it at `rev`, if it is as given still; null when it is not. */
  amend(document: MessageDocument, rev: number, update: UpdateFilter<MessageDocument>): Promise<MessageDocument | null>;
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
  async function insertMany(kind: ConversationRef['kind'], documents: MessageDocument[], ordered: boolean) {
    try {
      await of(kind).insertMany(documents, { ordered });
      return new Map<number, Refusal>();
    } catch (error) {
      const refused = refusals(error);
      if (!refused) throw error;
      return refused;
    }
  }

  async function insertAlone(kind: ConversationRef['kind'], documents: MessageDocument[]): Promise<Stored> {
    const [first] = await insertMany(kind, documents, true);
    return first ? { count: first[0], refusal: first[1] } : { count: documents.length };
  }

  /** Batches of different conversations as one write. */
  async function insertTogether(
    kind: ConversationRef['kind'],
    batches: readonly MessageDocument[][],
  ): Promise<Stored[]> {
    const documents = batches.flat();
    // Unordered is right between conversations only; within one, the later must not be stored without the earlier.
    const ordered = documents.length > batches.length;
    const refused = await insertMany(kind, documents, ordered);
    const [stop] = ordered ? refused.keys() : [];
    let next = 0;
    return Promise.all(
      batches.map((batch) => {
        const start = next;
        next += batch.length;
        // What comes behind the one that was refused has not been tried.
        if (stop !== undefined && start > stop) return insertAlone(kind, batch);
        const at = batch.findIndex((_, i) => refused.has(start + i));
        return at < 0 ? { count: batch.length } : { count: at, refusal: refused.get(start + at) };
      }),
    );
  }

  const insertion = (kind: ConversationRef['kind']) =>
    batched((batches: readonly MessageDocument[][]) => insertTogether(kind, batches), {
      atOnce: 2,
      most: MAX_COMMAND,
      weigh: (batch) => batch.length,
    });
  const insertions = { direct: insertion('direct'), group: insertion('group') };

  return {
    of,
    insert: ({ kind }, documents) => insertions[kind](documents),
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
    amend: (document, rev, update) =>
      of('group_id' in document ? 'group' : 'direct').findOneAndUpdate(
        { _id: document._id, rev: document.rev },
        {
          ...update,
          $set: { ...update.$set, rev },
          $push: { ...update.$push, revs: { $each: [rev], $slice: -REMEMBERED_REVS } },
        },
        {
          returnDocument: 'after',
        },
      ),
  };
}
