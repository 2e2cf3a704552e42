import { MongoServerError, type UpdateFilter } from 'mongodb';
import type { Stored } from '../../server/conversations/message-inserts.ts';
import type { WriterOptions } from '../../server/messages/writer.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';
import { CLIENT_MESSAGE_INDEX } from '../../server/model/indexes.ts';

/** A command that never arrived, or whose answer never did. */
export type Fault = 'lost request' | 'lost reply' | undefined;

/**
 * A store of one conversation in memory, which refuses what the unique indexes refuse, and fails when it is told to.
 * @param trip one way to the store or back
 * @param fault what becomes of the next write
 */
export function createMemoryStore(trip: () => Promise<void>, fault: () => Fault = () => undefined) {
  const messages: MessageDocument[] = [];
  const commands: string[] = [];

  function conflictOf(one: MessageDocument): string | undefined {
    const other = (has: (message: MessageDocument) => boolean) =>
      messages.some((two) => two._id !== one._id && has(two));
    if (other(({ seq }) => seq === one.seq)) return 'conversation_seq';
    if (other(({ revs }) => one.revs!.some((rev) => revs!.includes(rev)))) return 'conversation_revs';
    const id = one.client_message_id;
    return id !== undefined && other(({ client_message_id }) => client_message_id === id)
      ? CLIENT_MESSAGE_INDEX
      : undefined;
  }

  function insertInOrder(documents: MessageDocument[]): Stored {
    for (const [count, document] of documents.entries()) {
      const index = conflictOf(document);
      if (index) return { count, refusal: { code: 11_000, errmsg: `index: ${index} dup key` } };
      messages.push({ ...document });
    }
    return { count: documents.length };
  }

  function amendOne(read: MessageDocument, rev: number, update: UpdateFilter<MessageDocument>) {
    const at = messages.findIndex(({ _id, rev: now }) => _id === read._id && now === read.rev);
    if (at < 0) return null;
    const amended = { ...messages[at]!, ...(update.$set as object), rev, revs: [...messages[at]!.revs!, rev] };
    if (conflictOf(amended)) throw new MongoServerError({ code: 11_000, message: 'index: conversation_revs dup key' });
    messages[at] = amended;
    return { ...amended };
  }

  async function ask<R>(command: string, answer: () => R, outcome?: Fault): Promise<R> {
    commands.push(command);
    await trip();
    if (outcome === 'lost request') throw new Error('the store is away');
    const result = answer();
    await trip();
    if (outcome === 'lost reply') throw new Error('the store went away');
    return result;
  }

  const highest = (values: number[]) => Math.max(0, ...values);
  const store: WriterOptions['store'] = {
    insert: (_conversation, documents) => ask('insert', () => insertInOrder(documents), fault()),
    amend: (document, rev, update) => ask('amend', () => amendOne(document, rev, update), fault()),
    find: (id) => ask('find', () => messages.find(({ _id }) => _id === id) ?? null),
    sent: (_conversation, _sender, id) =>
      ask('sent', () => messages.find(({ client_message_id }) => client_message_id === id) ?? null),
    newest: () =>
      ask('newest', () => ({
        seq: highest(messages.map(({ seq }) => seq)),
        rev: highest(messages.map(({ rev }) => rev)),
      })),
  };
  return { store, messages, commands };
}
