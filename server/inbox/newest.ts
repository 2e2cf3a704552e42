/** Reads from the stored messages what summaries are derived from. */
import type { Document } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import type { Part } from './read-together.ts';

/** What the stored messages say of a conversation. */
export interface Newest {
  /** The message with the highest `seq`; undefined where nothing is stored. */
  message: MessageDocument | undefined;
  /** The highest `rev`; 0 where nothing is stored. */
  rev: number;
}

/** Reads the newest message and `rev` of a conversation. */
export async function readNewest(store: MessageStore, conversation: ConversationRef): Promise<Newest> {
  const [[message], rev] = await Promise.all([
    store
      .of(conversation.kind)
      .find({ conversation_id: conversation.id }, { projection: { terms: 0 } })
      .sort({ seq: -1 })
      .limit(1)
      .toArray(),
    store.highest('rev', conversation),
  ]);
  return { message, rev };
}

/** What is read of a message, or of its `rev` alone, to check summaries by. */
export type Evidence = MessageDocument | { rev_of: string; rev: number };

/**
 * What the messages say of summaries, as parts of what is read together: the messages that the summaries name as their
 * last ones, and then every `rev` that is not below a summary's. In this order, because a message that changes in between
 * is found out by its `rev`.
 */
export function evidenceOf(store: MessageStore, summaries: readonly ConversationDocument[]): Part[] {
  const partsOf = (toFilter: (summary: ConversationDocument) => Document[], projection: Document) =>
    (['direct', 'group'] as const).flatMap((kind): Part[] => {
      const alternatives = summaries.filter((summary) => summary.kind === kind).flatMap(toFilter);
      if (alternatives.length === 0) return [];
      return [{ collection: store.of(kind), stages: [{ $match: { $or: alternatives } }, projection] }];
    });
  return [
    ...partsOf(
      ({ _id, last_seq, last_message_id }) => (last_message_id ? [{ conversation_id: _id, seq: last_seq }] : []),
      { $unset: 'terms' },
    ),
    // From the index alone.
    ...partsOf(({ _id, rev }) => [{ conversation_id: _id, rev: { $gte: Math.max(rev, 1) } }], {
      $project: { _id: 0, rev_of: '$conversation_id', rev: 1 },
    }),
  ];
}
