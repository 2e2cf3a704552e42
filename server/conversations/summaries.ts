/**
 * The summary of each conversation (`conversations`), derived from its messages: one write per batch, in flight
 * together with the batch. A crash between the two leaves it behind; whoever reads it and finds newer messages repairs
 * it with the same write.
 */
import type { Collections } from '../database/collections.ts';
import type { MessageDocument } from '../database/documents.ts';
import { isDuplicateKey } from '../database/failures.ts';
import { fromId } from '../database/wire.ts';
import type { ConversationRef } from '../fanout/operations.ts';

export interface Summaries {
  /** A message became the newest one of its conversation. */
  sent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
  /** A message was changed and carries the newest `rev`. */
  changed(conversation: ConversationRef, rev: number, at: Date): Promise<void>;
  /** Takes back what `sent` told of a message that was refused after all. */
  unsent(conversation: ConversationRef, message: MessageDocument, newest: { seq: number; rev: number }): Promise<void>;
}

/** @param collections the collections of the database */
export function createSummaries({ conversations }: Collections): Summaries {
  return {
    async sent(conversation, { _id, seq, rev, created_at }) {
      try {
        await conversations.updateOne(
          { _id: conversation.id, last_seq: { $lt: seq } },
          {
            $set: { last_seq: seq, last_message_id: _id },
            $max: { rev, activity_at: created_at, changed_at: created_at },
            $setOnInsert: {
              kind: conversation.kind,
              created_at,
              ...(conversation.kind === 'direct'
                ? { user_ids: conversation.user_ids.map(fromId) }
                : { group_id: fromId(conversation.group_id) }),
            },
          },
          { upsert: true },
        );
      } catch (error) {
        // It is there and further on: another node's newer message was quicker.
        if (!isDuplicateKey(error)) throw error;
      }
    },
    async changed(conversation, rev, at) {
      await conversations.updateOne({ _id: conversation.id }, { $max: { rev, changed_at: at } });
    },
    async unsent(conversation, message, newest) {
      await conversations.updateOne(
        { _id: conversation.id, last_message_id: message._id },
        { $set: { last_seq: newest.seq, rev: newest.rev }, $unset: { last_message_id: true } },
      );
    },
  };
}
