/** Stores numbered messages of one conversation, and with them the conversation's summary. */
import type { Stored } from '../conversations/message-inserts.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Actors } from '../delivery/actors.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { whileActing } from './acting.ts';
import type { SummaryWriter } from './summary-writer.ts';

export interface StoreParts {
  store: Pick<MessageStore, 'insert'>;
  summaries: Pick<SummaryWriter, 'sent' | 'unsent'>;
  actors: Pick<Actors, 'note' | 'forget'>;
}

export interface StoredBatch extends Stored {
  /** All messages are stored, but the summary could not be written. */
  summaryFailure?: PromiseRejectedResult;
}

/**
 * Stores as many of the documents, in their order, as the unique indexes let through. The summary is written at the
 * same time, by the last of them: both in one round trip.
 * @param tasks those of the documents, in the same order
 */
export async function storeBatch(
  { store, summaries, actors }: StoreParts,
  conversation: ConversationRef,
  documents: MessageDocument[],
  tasks: readonly { socket: string | undefined }[],
): Promise<StoredBatch> {
  const last = documents.at(-1)!;
  const acting = documents.map((message, i) => ({ message, socket: tasks[i]?.socket }));
  const [inserted, summary] = await whileActing(actors, acting, () =>
    Promise.allSettled([store.insert(conversation, documents), summaries.sent(conversation, last)]),
  );
  if (inserted.status === 'rejected') throw inserted.reason;
  if (inserted.value.refusal) {
    await summaries.unsent(conversation, last);
    return inserted.value;
  }
  return summary.status === 'rejected' ? { ...inserted.value, summaryFailure: summary } : inserted.value;
}
