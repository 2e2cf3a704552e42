/** Checks summaries against the stored messages, and repairs what a crash left wrong. */
import type { Filter } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import { properSeqOf } from '../conversations/proper-seq.ts';
import { type ConversationRef, refFromId } from '../model/conversation-ref.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { type Evidence, evidenceOf, type Newest, readNewest } from './newest.ts';
import { having, type Part } from './read-together.ts';
import type { SummaryWrites } from './summary-writes.ts';

/** No write takes longer: a summary that has been ahead for more, in milliseconds, was left by a crash. */
const LONGEST_WRITE_MS = 10_000;

/** A summary that agrees with the stored messages. */
export interface CheckedSummary extends ConversationDocument {
  last_message?: MessageDocument;
}

export interface SummaryCheck {
  /** What the check must know of the messages, as parts of what is read together: four for any number of summaries. */
  evidence(summaries: readonly ConversationDocument[]): Part[];
  /**
   * Corrects summaries by the stored messages and adds the newest message to each, in the order given. Each wrong one
   * takes three queries more, and is repaired.
   * @param found documents that include the evidence
   */
  check(summaries: readonly ConversationDocument[], found: readonly object[]): Promise<CheckedSummary[]>;
  /** Repairs a summary that is wrong, unless a write under way may make it right. */
  repair(summary: ConversationDocument): Promise<void>;
}

export interface SummaryCheckOptions {
  store: MessageStore;
  writes: SummaryWrites;
  clock(): Date;
}

export function createSummaryCheck({ store, writes, clock }: SummaryCheckOptions): SummaryCheck {
  /** Leaves a summary alone while the message that it is ahead by may still be on its way. */
  async function repair(summary: ConversationDocument, conversation: ConversationRef, truth: Newest): Promise<void> {
    const { newest, message, rev } = truth;
    if (isAhead(summary, truth)) {
      const since = clock().getTime() - summary.changed_at.getTime();
      if (since > LONGEST_WRITE_MS) await writes.correct(conversation, asStored(summary), truth);
    } else if (message) {
      const { last_seq, last_message_id, last_message_seq } = summary;
      if (message.seq > (last_message_seq ?? last_seq)) {
        await writes.sent(conversation, message);
        if (newest?.aside) await writes.sent(conversation, newest);
      } else if (
        !last_message_id?.equals(message._id) ||
        last_message_seq !== message.seq ||
        (newest && newest.seq > last_seq)
      ) {
        await writes.correct(conversation, asStored(summary), truth);
      }
      await writes.changed(conversation, rev, clock());
    }
  }

  return {
    async repair(summary) {
      const conversation = refFromId(summary._id);
      await repair(summary, conversation, await readNewest(store, conversation));
    },
    evidence: (summaries) => evidenceOf(store, summaries),
    check(summaries, found) {
      const evidence = found as Evidence[];
      const messages = new Map(having(evidence, 'sender_id').map((one) => [`${one.conversation_id} ${one.seq}`, one]));
      const highestRevs = new Map<string, number>();
      for (const { rev_of, rev } of having(evidence, 'rev_of')) {
        highestRevs.set(rev_of, Math.max(rev, highestRevs.get(rev_of) ?? 0));
      }
      return Promise.all(
        summaries.map(async (summary): Promise<CheckedSummary> => {
          const { _id, rev, last_message_id, last_seq, last_message_seq = last_seq } = summary;
          const last_message = messages.get(`${_id} ${last_message_seq}`);
          const newest = messages.get(`${_id} ${last_seq}`);
          const isNamed = last_message_id?.equals(last_message?._id) ?? last_seq === 0;
          // What is aside says which message of the conversation proper was the newest before it.
          const isNewest = last_seq === 0 || (newest !== undefined && properSeqOf(newest) === last_message_seq);
          if (isNamed && isNewest && (highestRevs.get(_id) ?? 0) === rev)
            return { ...summary, ...(last_message ? { last_message } : {}) };
          const conversation = refFromId(_id);
          const truth = await readNewest(store, conversation);
          await repair(summary, conversation, truth);
          return corrected(summary, truth);
        }),
      );
    },
  };
}

/** Matches a summary while it names the same messages. */
function asStored({ last_seq, last_message_id }: ConversationDocument): Filter<ConversationDocument> {
  return { last_seq, last_message_id: last_message_id ?? { $exists: false } };
}

function isAhead({ last_seq, rev }: ConversationDocument, truth: Newest): boolean {
  return last_seq > (truth.newest?.seq ?? 0) || rev > truth.rev;
}

/** A wrong summary as the messages say it is. */
function corrected(summary: ConversationDocument, truth: Newest): CheckedSummary {
  const { last_message_id: _wrong, activity_at, ...rest } = summary;
  const { newest, message, rev } = truth;
  if (!message) return { ...rest, activity_at, rev, last_seq: 0 };
  const known = isAhead(summary, truth) ? 0 : activity_at.getTime();
  return {
    ...rest,
    rev,
    last_seq: newest?.seq ?? message.seq,
    last_message_seq: message.seq,
    last_message_id: message._id,
    last_message: message,
    activity_at: new Date(Math.max(message.created_at.getTime(), known)),
  };
}
