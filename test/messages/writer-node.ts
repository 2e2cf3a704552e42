/** A writer of one node for tests of the writer alone, with a pair to write in. */
import { ObjectId } from 'mongodb';
import type { Change } from '../../server/bus/operations.ts';
import { createNewestMessages } from '../../server/conversations/newest-messages.ts';
import { draftOf } from '../../server/messages/drafts.ts';
import { createWriter, type WriterOptions } from '../../server/messages/writer.ts';
import { pairRef } from '../../server/model/conversation-ref.ts';

export const ann = new ObjectId();
export const bob = new ObjectId();
export const conversation = pairRef(ann.toHexString(), bob.toHexString());

export const draft = (content: string, client_message_id?: string) =>
  draftOf(new ObjectId(), ann, conversation.id, {
    recipient_id: bob.toHexString(),
    content,
    ...(client_message_id === undefined ? {} : { client_message_id }),
  });

/** A node's writer, what it told, and what it opened. */
export function createNode(store: WriterOptions['store'], over: Partial<WriterOptions> = {}) {
  const told: Change[] = [];
  const healed: string[] = [];
  const opened: string[] = [];
  const newest = createNewestMessages({
    store: {
      of: () => {
        throw new Error('marks are not tested here');
      },
    },
    isAlone: () => false,
    hears: () => false,
    clock: () => new Date(),
  });
  const writer = createWriter({
    store,
    newest,
    summaries: { sent: async () => {}, changed: async () => {}, unsent: async () => {} },
    bus: { changes: (_conversation, changes) => void told.push(...changes), heal: ({ id }) => void healed.push(id) },
    actors: { note: () => {}, forget: () => {} },
    openPair: async ({ id }) => void opened.push(id),
    clock: () => new Date(),
    ...over,
  });
  return { writer, told, healed, opened };
}

export const range = (to: number) => Array.from({ length: to }, (_, i) => i + 1);
