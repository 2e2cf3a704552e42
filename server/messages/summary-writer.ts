import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';

/** What messages need of conversation summaries: each write keeps its conversation's summary up to date. */
export interface SummaryWriter {
  /** A message is the newest of its conversation. Idempotent. */
  sent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
  /** A message was changed and carries the newest `rev`. Idempotent. */
  changed(conversation: ConversationRef, rev: number, at: Date): Promise<void>;
  /** Takes back what `sent` wrote of a message that was refused after all. */
  unsent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
}
