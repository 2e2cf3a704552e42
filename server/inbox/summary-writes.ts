/**
 * Writes the summary of each conversation (`conversations`), which is derived from its messages. The write goes out
 * together with the messages, so the summary may be ahead of them for a moment, and a crash may leave it ahead or
 * behind; `summary-check.ts` finds that and repairs it.
 */
import type { Filter } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import { batched } from '../lib/group-commit.ts';
import { type Upsert, upsertAll } from '../model/batches.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { type Newest, readNewest } from './newest.ts';

/** Summaries in one command to the store. */
const MAX_COMMAND = 64;

export interface SummaryWrites {
  /** Records a message as the newest of its conversation. */
  sent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
  /** Records a change of a message under the newest `rev`. */
  changed(conversation: ConversationRef, rev: number, at: Date): Promise<void>;
  /** Withdraws `sent` for a message that was refused after all. */
  unsent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
  /**
   * Sets a summary to what the messages say.
   * @param wrong what of it is to be replaced: if that is not stored any more, a newer message won
   */
  correct(conversation: ConversationRef, wrong: Filter<ConversationDocument>, truth: Newest): Promise<void>;
}

export interface SummaryWritesOptions {
  collections: Pick<Collections, 'conversations'>;
  store: MessageStore;
  clock(): Date;
}

export function createSummaryWrites({ collections, store, clock }: SummaryWritesOptions): SummaryWrites {
  const { conversations } = collections;
  // One that writes nothing finds the summary ahead: another node's newer message won.
  const write = batched(
    'summaries',
    (upserts: readonly Upsert<ConversationDocument>[]) => upsertAll(conversations, upserts),
    { atOnce: 2, most: MAX_COMMAND },
  );

  const raise = batched(
    'summary changes',
    async (changes: readonly SummaryChange[]) => {
      await conversations.bulkWrite(
        changes.map(({ id, rev, at }) => ({
          updateOne: { filter: { _id: id }, update: { $max: { rev, changed_at: at } } },
        })),
        { ordered: false },
      );
      return changes.map(() => undefined);
    },
    { atOnce: 2, most: MAX_COMMAND },
  );

  const writes: SummaryWrites = {
    async sent(conversation, message) {
      await write(summaryUpsert(conversation, message, clock()));
    },
    changed: ({ id }, rev, at) => raise({ id, rev, at }),
    async unsent(conversation, message) {
      const { _id, seq, aside } = message;
      const wrong = { last_seq: seq, ...(aside ? {} : { last_message_id: _id }) };
      await writes.correct(conversation, wrong, await readNewest(store, conversation));
    },
    async correct({ id }, wrong, { newest, message, rev }) {
      await conversations.updateOne(
        { ...wrong, _id: id },
        message
          ? {
              $set: {
                last_seq: newest?.seq ?? message.seq,
                rev,
                last_message_id: message._id,
                last_message_seq: message.seq,
                activity_at: message.created_at,
              },
              $max: { changed_at: clock() },
            }
          : { $set: { last_seq: 0, rev }, $unset: { last_message_id: true, last_message_seq: true } },
      );
    },
  };
  return writes;
}

/** A conversation whose newest `rev` is that of a changed message. */
interface SummaryChange {
  id: string;
  rev: number;
  at: Date;
}

/** Moves a summary on to a message, unless it is there or further on. What is aside moves the counters alone. */
function summaryUpsert(
  conversation: ConversationRef,
  { _id, seq, rev, created_at, aside }: MessageDocument,
  now: Date,
): Upsert<ConversationDocument> {
  return {
    // Where nothing says which message is the last one, this one is: the check looks at that again.
    filter: { _id: conversation.id, ...(aside ? {} : { last_message_seq: { $not: { $gte: seq } } }) },
    update: {
      ...(aside ? {} : { $set: { last_message_id: _id, last_message_seq: seq } }),
      // Not the message's own time: where it was stored long ago by a process that died, it is found only now.
      $max: { last_seq: seq, rev, changed_at: now, ...(aside ? {} : { activity_at: created_at }) },
      $setOnInsert: {
        ...(aside ? { activity_at: created_at } : {}),
        kind: conversation.kind,
        created_at,
        ...(conversation.kind === 'direct'
          ? { user_ids: conversation.user_ids.map(fromId) }
          : { group_id: fromId(conversation.group_id) }),
      },
    },
  };
}
