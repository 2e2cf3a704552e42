/** Reads from the stored messages what summaries are derived from. */
import type { Document } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import { type ConversationRef, KINDS } from '../model/conversation-ref.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import type { Part } from './read-together.ts';

/** What the stored messages say of a conversation. */
export interface Newest {
  /** The message with the highest `seq`; undefined where nothing is stored. */
  newest: MessageDocument | undefined;
  /** The newest message of the conversation proper. */
  message: MessageDocument | undefined;
  /** The highest `rev`; 0 where nothing is stored. */
  rev: number;
}

/** Reads the newest messages and `rev` of a conversation. */
export async function readNewest(store: MessageStore, conversation: ConversationRef): Promise<Newest> {
  const messages = store.of(conversation.kind);
  const [[newest], rev] = await Promise.all([
    messages
      .find({ conversation_id: conversation.id }, { projection: { terms: 0 } })
      .sort({ seq: -1 })
      .limit(1)
      .toArray(),
    store.highest('rev', conversation),
  ]);
  if (newest?.proper_seq === undefined) return { newest, message: newest, rev };
  const proper = { conversation_id: conversation.id, seq: newest.proper_seq };
  const message = await messages.findOne(proper, { projection: { terms: 0 } });
  return { newest, message: message ?? undefined, rev };
}

/** What summaries are checked by: a message, or its `rev` alone. */
export type Evidence = MessageDocument | { rev_of: string; rev: number };

/**
 * What the messages say of summaries, as parts of what is read together: the messages that the summaries name as their
 * last ones, the newest ones where these are others, and then every `rev` that is not below a summary's. In this order,
 * because the `rev` then shows whether a message changed in between.
 */
export function evidenceOf(store: MessageStore, summaries: readonly ConversationDocument[]): Part[] {
  const partsOf = (toFilter: (summary: ConversationDocument) => Document[], projection: Document) =>
    KINDS.flatMap((kind): Part[] => {
      const alternatives = summaries.filter((summary) => summary.kind === kind).flatMap(toFilter);
      if (alternatives.length === 0) return [];
      return [{ collection: store.of(kind), stages: [{ $match: { $or: alternatives } }, projection] }];
    });
  return [
    ...partsOf(
      ({ _id, last_seq, last_message_seq = last_seq }) => {
        if (last_seq === 0) return [];
        const seq = last_message_seq === last_seq ? last_seq : { $in: [last_message_seq, last_seq] };
        return [{ conversation_id: _id, seq }];
      },
      { $unset: 'terms' },
    ),
    // From the index alone.
    ...partsOf(({ _id, rev }) => [{ conversation_id: _id, rev: { $gte: Math.max(rev, 1) } }], {
      $project: { _id: 0, rev_of: '$conversation_id', rev: 1 },
    }),
  ];
}
