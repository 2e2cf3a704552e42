import type { Stored } from '../../server/conversations/message-inserts.ts';
import type { AmendStep, Follower } from '../../server/conversations/message-store.ts';
import { followsOf } from '../../server/messages/slow-mode.ts';
import type { WriterOptions } from '../../server/messages/writer.ts';
import type { MessageDocument } from '../../server/model/documents/messages.ts';

/** A command that never arrived, whose answer never did, or that the driver tried again after its answer was lost. */
export type Fault = 'lost request' | 'lost reply' | 'tried twice' | undefined;

/**
 * A store of one conversation in memory, which refuses what the unique indexes refuse, and fails when it is told to.
 * @param trip one way to the store or back
 * @param fault what becomes of the next write
 */
export function createMemoryStore(trip: () => Promise<void>, fault: () => Fault = () => undefined) {
  const messages: MessageDocument[] = [];
  const commands: string[] = [];

  /** Whether a unique index other than that of `_id` refuses a document. */
  function isRefused(one: MessageDocument): boolean {
    const { seq, revs, client_message_id } = one;
    const follows = followsOf(one);
    return messages.some(
      (other) =>
        other._id !== one._id &&
        (other.seq === seq ||
          other.rev === one.rev ||
          other.revs!.some((rev) => revs!.includes(rev)) ||
          (client_message_id !== undefined && other.client_message_id === client_message_id) ||
          (follows !== undefined && other.sender_id.equals(one.sender_id) && followsOf(other) === follows)),
    );
  }

  function insertInOrder(documents: MessageDocument[]): Stored {
    for (const [count, document] of documents.entries()) {
      const isStored = messages.some(({ _id }) => _id === document._id);
      if (isStored || isRefused(document)) return { count, refusal: { code: 11_000 } };
      messages.push({ ...document });
    }
    return { count: documents.length };
  }

  function amendInOrder(steps: readonly AmendStep[]): Stored {
    for (const [count, { before, after, firstRev }] of steps.entries()) {
      const at = messages.findIndex(({ _id, rev }) => _id === before._id && rev === before.rev);
      const amended = { ...messages[at]!, ...after, revs: [...(messages[at]?.revs ?? []), firstRev] };
      if (at < 0 || isRefused(amended)) return { count, refusal: { code: 11_000 } };
      messages[at] = amended;
    }
    return { count: steps.length };
  }

  async function ask<R>(command: string, answer: () => R, outcome?: Fault): Promise<R> {
    commands.push(command);
    await trip();
    if (outcome === 'lost request') throw new Error('the store is away');
    if (outcome === 'tried twice') answer();
    const result = answer();
    await trip();
    if (outcome === 'lost reply') throw new Error('the store went away');
    return result;
  }

  const highest = (values: number[]) => Math.max(0, ...values);
  const store: WriterOptions['store'] = {
    insert: (_conversation, documents) => ask('insert', () => insertInOrder(documents), fault()),
    amend: (_conversation, steps) => ask('amend', () => amendInOrder(steps), fault()),
    show: async (found) => [...found],
    withThreads: async (found) => [...found],
    of: () => {
      throw new Error('threads are not tested here');
    },
    properSeq: () => Promise.reject(new Error('threads are not tested here')),
    open: async () => {},
    countPinned: () => ask('countPinned', () => messages.filter(({ pinned }) => pinned).length),
    findAll: (_conversation, ids) =>
      ask('findAll', () => messages.filter(({ _id }) => ids.includes(_id)).map((message) => ({ ...message }))),
    sent: (_conversation, _sender, id) =>
      ask('sent', () => messages.find(({ client_message_id }) => client_message_id === id) ?? null),
    followers: (_conversation, like) =>
      ask('followers', () => {
        const isLike = (one: MessageDocument) =>
          like.some(({ sender_id, follows_seq }) => sender_id.equals(one.sender_id) && followsOf(one) === follows_seq);
        return messages.filter(isLike) as (MessageDocument & Follower)[];
      }),
    newest: () =>
      ask('newest', () => ({
        seq: highest(messages.map(({ seq }) => seq)),
        rev: highest(messages.map(({ rev }) => rev)),
      })),
  };
  return { store, messages, commands };
}
