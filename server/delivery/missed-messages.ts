import type { Change } from '../bus/operations.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { toWireMessage } from '../model/views/message.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** Sent while one person was let into a group: a few. Who misses more finds them in the history. */
const LIMIT = 500;

/** @returns reads the messages of a conversation above a `seq` as they are stored, ascending by `rev` */
export function createMissedMessages(store: Pick<MessageStore, 'of'>) {
  return async function readAbove(conversation: ConversationRef, seq: number): Promise<Change[]> {
    const found = await store
      .of(conversation.kind)
      .find({ conversation_id: conversation.id, seq: { $gt: seq } }, { projection: { terms: 0 } })
      .sort({ seq: 1 })
      .limit(LIMIT)
      .toArray();
    return found
      .toSorted((one, other) => one.rev - other.rev)
      .map((message) => ({
        rev: message.rev,
        message: toWireMessage(message),
        is_new: false,
        last_seq: message.seq,
      }));
  };
}
