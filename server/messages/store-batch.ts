/** Stores numbered messages of one conversation, and with them the conversation's summary. */
import type { Stored } from '../conversations/message-inserts.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Actors } from '../delivery/actors.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
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
  const forgetActors = noteActors(actors, documents, tasks);
  const [inserted, summary] = await Promise.allSettled([
    store.insert(conversation, documents),
    summaries.sent(conversation, last),
  ]);
  forgetActors();
  if (inserted.status === 'rejected') throw inserted.reason;
  if (inserted.value.refusal) {
    await summaries.unsent(conversation, last);
    return inserted.value;
  }
  return summary.status === 'rejected' ? { ...inserted.value, summaryFailure: summary } : inserted.value;
}

/**
 * Delivery may find messages in the store before the bus tells of them. Until then it must know which sockets get an
 * acknowledgement instead of the event.
 * @returns a function that forgets the actors again
 */
function noteActors(
  actors: StoreParts['actors'],
  documents: MessageDocument[],
  tasks: readonly { socket: string | undefined }[],
): () => void {
  const noted = documents.flatMap(({ _id, rev }, i) => {
    const socket = tasks[i]?.socket;
    return socket === undefined ? [] : [{ id: _id.toHexString(), rev, socket }];
  });
  for (const { id, rev, socket } of noted) actors.note(id, rev, socket);
  return () => {
    for (const { id, rev } of noted) actors.forget(id, rev);
  };
}
