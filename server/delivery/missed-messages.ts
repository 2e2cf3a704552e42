import type { Change } from '../bus/operations.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { toWireMessage } from '../model/views/message.ts';

/** Little is sent while one person is let into a group. Anyone who misses more finds it in the history. */
const LIMIT = 500;

/** A message as it is stored, as a change; whether it is new is decided by whoever delivers it. */
export function storedChange(message: MessageDocument): Change {
  return { rev: message.rev, message: toWireMessage(message), is_new: false, last_seq: message.seq };
}

/** @returns a function that reads a conversation's messages above a `seq` as they are stored, ascending by `rev` */
export function createMissedMessages(store: Pick<MessageStore, 'of' | 'show'>) {
  return async function readAbove(conversation: ConversationRef, seq: number): Promise<Change[]> {
    const found = await store
      .of(conversation.kind)
      .find({ conversation_id: conversation.id, seq: { $gt: seq } }, { projection: { terms: 0 } })
      .sort({ seq: 1 })
      .limit(LIMIT)
      .toArray();
    return (await store.show(found)).toSorted((one, other) => one.rev - other.rev).map(storedChange);
  };
}
