/**
 * The summary of each conversation (`conversations`), derived from its messages: one write per batch, in flight
 * together with the batch. So it may be ahead of the messages for a moment, and a crash leaves it ahead or behind:
 * `check` tells what is true by the messages themselves, and repairs what a crash left.
 */
import { upsertAll } from '../model/batches.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument, MessageDocument } from '../model/documents.ts';
import { fromId } from '../model/codec.ts';
import { refFromId } from '../model/conversation-ref.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { batched } from '../lib/group-commit.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** A summary that is ahead for longer than any write can take was left by a crash, in milliseconds. */
const LONGEST_WRITE_MS = 10_000;
/** Summaries that are written by one command. */
const MAX_COMMAND = 64;
/** One answer of the database holds them all: a second round trip only above it. */
const ONE_BATCH = 10_000;

export interface Summaries {
  /** A message became the newest one of its conversation. */
  sent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
  /** A message was changed and carries the newest `rev`. */
  changed(conversation: ConversationRef, rev: number, at: Date): Promise<void>;
  /** Takes back what `sent` told of a message that was refused after all. */
  unsent(conversation: ConversationRef, message: MessageDocument): Promise<void>;
  /**
   * What is true of each summary by the messages that are stored, with the newest message. Four queries, whatever the
   * number; two more for each that is found ahead or behind.
   */
  check(found: ConversationDocument[]): Promise<CheckedSummary[]>;
}

export interface CheckedSummary extends ConversationDocument {
  last_message?: MessageDocument;
}

interface Newest {
  conversation: ConversationRef;
  message: MessageDocument;
}

function toUpsert({ conversation, message: { _id, seq, rev, created_at } }: Newest) {
  return {
    filter: { _id: conversation.id, last_seq: { $lt: seq } },
    update: {
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
  };
}

/** @param collections the collections of the database */
export function createSummaries({ conversations }: Collections, store: MessageStore, clock: () => Date): Summaries {
  // A duplicate is there and further on: another node's newer message was quicker.
  const write = batched((newest: readonly Newest[]) => upsertAll(conversations, newest.map(toUpsert)), {
    atOnce: 2,
    most: MAX_COMMAND,
  });
  const sent = async (conversation: ConversationRef, message: MessageDocument): Promise<void> => {
    await write({ conversation, message });
  };

  async function changed(conversation: ConversationRef, rev: number, at: Date): Promise<void> {
    await conversations.updateOne({ _id: conversation.id }, { $max: { rev, changed_at: at } });
  }

  /** The newest message and `rev` by the messages themselves. */
  async function derive(conversation: ConversationRef): Promise<{ last: MessageDocument | undefined; rev: number }> {
    const [[last], { rev }] = await Promise.all([
      store
        .of(conversation.kind)
        .find({ conversation_id: conversation.id }, { projection: { terms: 0 } })
        .sort({ seq: -1 })
        .limit(1)
        .toArray(),
      store.newest(conversation),
    ]);
    return { last, rev };
  }

  /** Puts a summary right that names a message which is not stored. Who was quicker with a newer message wins. */
  async function setBack(
    conversation: ConversationRef,
    wrong: Pick<ConversationDocument, 'last_message_id'>,
    truth: { last: MessageDocument | undefined; rev: number },
  ): Promise<void> {
    const { last, rev } = truth;
    await conversations.updateOne(
      { _id: conversation.id, last_message_id: wrong.last_message_id ?? { $exists: false } },
      last
        ? {
            $set: { last_seq: last.seq, rev, last_message_id: last._id, activity_at: last.created_at },
            $max: { changed_at: clock() },
          }
        : { $set: { last_seq: 0, rev }, $unset: { last_message_id: true } },
    );
  }

  /** Those of the summaries that are not what the messages say. */
  async function findWrong(found: ConversationDocument[], last: Map<string, MessageDocument>) {
    const newest = new Map<string, number>();
    const highest = async (kind: ConversationRef['kind']) => {
      const alternatives = found
        .filter((summary) => summary.kind === kind)
        .map(({ _id, rev }) => ({ conversation_id: _id, rev: { $gte: Math.max(rev, 1) } }));
      if (alternatives.length === 0) return;
      const cursor = store
        .of(kind)
        .find({ $or: alternatives }, { projection: { _id: 0, conversation_id: 1, rev: 1 }, batchSize: ONE_BATCH });
      for await (const { conversation_id, rev } of cursor) {
        newest.set(conversation_id, Math.max(rev, newest.get(conversation_id) ?? 0));
      }
    };
    await Promise.all([highest('direct'), highest('group')]);
    return found.filter(
      ({ _id, rev, last_seq }) => (newest.get(_id) ?? 0) !== rev || (last.get(_id)?.seq ?? 0) !== last_seq,
    );
  }

  async function lastMessages(found: ConversationDocument[]): Promise<Map<string, MessageDocument>> {
    const byKind = async (kind: ConversationRef['kind']) => {
      const ids = found.flatMap((one) => (one.kind === kind && one.last_message_id ? [one.last_message_id] : []));
      if (ids.length === 0) return [];
      return store
        .of(kind)
        .find({ _id: { $in: ids } }, { projection: { terms: 0 }, batchSize: ONE_BATCH })
        .toArray();
    };
    const messages = await Promise.all([byKind('direct'), byKind('group')]);
    return new Map(messages.flat().map((message) => [message.conversation_id, message]));
  }

  /** A summary as the messages say; repairs it unless the message that it is ahead by may still be on its way. */
  async function put(summary: ConversationDocument): Promise<CheckedSummary> {
    const conversation = refFromId(summary._id);
    const truth = await derive(conversation);
    const { last, rev } = truth;
    const isAhead = summary.last_seq > (last?.seq ?? 0) || summary.rev > rev;
    if (isAhead) {
      const since = clock().getTime() - summary.changed_at.getTime();
      if (since > LONGEST_WRITE_MS) await setBack(conversation, summary, truth);
    } else if (last) {
      if (last.seq > summary.last_seq) await sent(conversation, last);
      else if (!summary.last_message_id?.equals(last._id)) await setBack(conversation, summary, truth);
      await changed(conversation, rev, clock());
    }
    const { last_message_id: _wrong, ...rest } = summary;
    return {
      ...rest,
      rev,
      last_seq: last?.seq ?? 0,
      ...(last
        ? {
            last_message_id: last._id,
            last_message: last,
            activity_at: new Date(Math.max(last.created_at.getTime(), isAhead ? 0 : summary.activity_at.getTime())),
          }
        : {}),
    };
  }

  return {
    sent,
    changed,
    async unsent(conversation, message) {
      await setBack(conversation, { last_message_id: message._id }, await derive(conversation));
    },
    async check(found) {
      const last = await lastMessages(found);
      const wrong = new Set((await findWrong(found, last)).map(({ _id }) => _id));
      return Promise.all(
        found.map(async (summary): Promise<CheckedSummary> => {
          if (wrong.has(summary._id)) return put(summary);
          const last_message = last.get(summary._id);
          return { ...summary, ...(last_message ? { last_message } : {}) };
        }),
      );
    },
  };
}
