/** Checks summaries against the stored messages, and repairs what a crash left wrong. */
import type { MessageStore } from '../conversations/message-store.ts';
import { type ConversationRef, refFromId } from '../model/conversation-ref.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { type Newest, readHighestRevs, readLastMessages, readNewest } from './newest.ts';
import type { SummaryWrites } from './summary-writes.ts';

/** No write takes longer: a summary that has been ahead for more, in milliseconds, was left by a crash. */
const LONGEST_WRITE_MS = 10_000;

/** A summary that agrees with the stored messages. */
export interface CheckedSummary extends ConversationDocument {
  last_message?: MessageDocument;
}

/**
 * Corrects summaries by the stored messages and adds the newest message to each, in the order given. Four queries
 * serve any number of summaries; each wrong one takes three more, and is repaired.
 */
export type CheckSummaries = (summaries: ConversationDocument[]) => Promise<CheckedSummary[]>;

export interface SummaryCheckOptions {
  store: MessageStore;
  writes: SummaryWrites;
  clock(): Date;
}

export function createSummaryCheck({ store, writes, clock }: SummaryCheckOptions): CheckSummaries {
  /** Leaves a summary alone while the message that it is ahead by may still be on its way. */
  async function repair(summary: ConversationDocument, conversation: ConversationRef, truth: Newest): Promise<void> {
    const { message, rev } = truth;
    if (isAhead(summary, truth)) {
      const since = clock().getTime() - summary.changed_at.getTime();
      if (since > LONGEST_WRITE_MS) await writes.correct(conversation, summary.last_message_id, truth);
    } else if (message) {
      if (message.seq > summary.last_seq) await writes.sent(conversation, message);
      else if (!summary.last_message_id?.equals(message._id)) {
        await writes.correct(conversation, summary.last_message_id, truth);
      }
      await writes.changed(conversation, rev, clock());
    }
  }

  return async (summaries) => {
    const lastMessages = await readLastMessages(store, summaries);
    const highestRevs = await readHighestRevs(store, summaries);
    return Promise.all(
      summaries.map(async (summary): Promise<CheckedSummary> => {
        const { _id, rev, last_seq } = summary;
        const last_message = lastMessages.get(_id);
        if ((highestRevs.get(_id) ?? 0) === rev && (last_message?.seq ?? 0) === last_seq) {
          return { ...summary, ...(last_message ? { last_message } : {}) };
        }
        const conversation = refFromId(_id);
        const truth = await readNewest(store, conversation);
        await repair(summary, conversation, truth);
        return corrected(summary, truth);
      }),
    );
  };
}

function isAhead({ last_seq, rev }: ConversationDocument, truth: Newest): boolean {
  return last_seq > (truth.message?.seq ?? 0) || rev > truth.rev;
}

/** A wrong summary as the messages say it is. */
function corrected(summary: ConversationDocument, truth: Newest): CheckedSummary {
  const { last_message_id: _wrong, activity_at, ...rest } = summary;
  const { message, rev } = truth;
  if (!message) return { ...rest, activity_at, rev, last_seq: 0 };
  const known = isAhead(summary, truth) ? 0 : activity_at.getTime();
  return {
    ...rest,
    rev,
    last_seq: message.seq,
    last_message_id: message._id,
    last_message: message,
    activity_at: new Date(Math.max(message.created_at.getTime(), known)),
  };
}
