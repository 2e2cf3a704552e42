/** Reads from the stored messages what summaries are derived from. */
import type { MessageStore } from '../conversations/message-store.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { ONE_BATCH } from './one-batch.ts';

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

/** The messages that the summaries name as their last ones, by conversation. */
export async function readLastMessages(
  store: MessageStore,
  summaries: ConversationDocument[],
): Promise<Map<string, MessageDocument>> {
  const ofKind = async (kind: ConversationRef['kind']) => {
    const ids = summaries.flatMap((one) => (one.kind === kind && one.last_message_id ? [one.last_message_id] : []));
    if (ids.length === 0) return [];
    return store
      .of(kind)
      .find({ _id: { $in: ids } }, { projection: { terms: 0 }, batchSize: ONE_BATCH })
      .toArray();
  };
  const messages = await Promise.all([ofKind('direct'), ofKind('group')]);
  return new Map(messages.flat().map((message) => [message.conversation_id, message]));
}

/** The highest `rev` stored in each conversation; left out where it is below the summary's. */
export async function readHighestRevs(
  store: MessageStore,
  summaries: ConversationDocument[],
): Promise<Map<string, number>> {
  const highest = new Map<string, number>();
  const ofKind = async (kind: ConversationRef['kind']) => {
    const alternatives = summaries
      .filter((summary) => summary.kind === kind)
      .map(({ _id, rev }) => ({ conversation_id: _id, rev: { $gte: Math.max(rev, 1) } }));
    if (alternatives.length === 0) return;
    const cursor = store
      .of(kind)
      .find({ $or: alternatives }, { projection: { _id: 0, conversation_id: 1, rev: 1 }, batchSize: ONE_BATCH });
    for await (const { conversation_id, rev } of cursor) {
      highest.set(conversation_id, Math.max(rev, highest.get(conversation_id) ?? 0));
    }
  };
  await Promise.all([ofKind('direct'), ofKind('group')]);
  return highest;
}
