/** The numbers of messages and changes: 1, 2, 3 … in each conversation. */
import type { Collection } from 'mongodb';
import { KINDS } from '../../model/conversation-ref.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';
import type { Check, CheckContext, Finding } from '../check.ts';

/** A message that keeps so many earlier revs may have forgotten others (`conversations/message-store.ts`). */
const REVS_KEPT = 50;

type Numbers = Pick<MessageDocument, 'conversation_id' | 'seq' | 'rev' | 'revs'>;

export const seqGaps: Check = {
  name: 'seq gaps',
  find: (context) =>
    ofConversations(context, 'seq', (id) => {
      let last = 0;
      const missing: string[] = [];
      return {
        next({ seq }) {
          if (seq > last + 1) missing.push(span(last + 1, seq - 1));
          last = seq;
        },
        end: () => (missing.length > 0 ? `${id}: no message has seq ${missing.join(', ')}` : undefined),
      };
    }),
};

/**
 * The revs that a message took lie between its first and its present one, but those between two writes are not stored.
 * So a rev is missing for certain where no message's stretch covers it.
 */
export const revGaps: Check = {
  name: 'rev gaps',
  find: (context) =>
    ofConversations(context, 'rev', (id) => {
      const stretches: [from: number, to: number][] = [];
      let hasForgotten = false;
      return {
        next({ rev, revs = [rev] }) {
          stretches.push([Math.min(rev, ...revs), rev]);
          hasForgotten ||= revs.length >= REVS_KEPT;
        },
        end() {
          const missing = hasForgotten ? [] : uncovered(stretches);
          return missing.length > 0 ? `${id}: no message has rev ${missing.join(', ')}` : undefined;
        },
      };
    }),
};

interface Walk {
  next(message: Numbers): void;
  /** What is wrong with the conversation, if anything. */
  end(): string | undefined;
}

/** Walks through the messages of one conversation after the other, from the index of `field`. */
async function* ofConversations(
  { store }: CheckContext,
  field: 'seq' | 'rev',
  begin: (conversationId: string) => Walk,
): AsyncGenerator<Finding> {
  for (const kind of KINDS) {
    let current: { id: string; walk: Walk } | undefined;
    for await (const message of inOrder(store.of(kind), field)) {
      if (current?.id !== message.conversation_id) {
        const what = current?.walk.end();
        if (what !== undefined) yield { what };
        current = { id: message.conversation_id, walk: begin(message.conversation_id) };
      }
      current.walk.next(message);
    }
    const what = current?.walk.end();
    if (what !== undefined) yield { what };
  }
}

function inOrder(messages: Collection<MessageDocument>, field: 'seq' | 'rev'): AsyncIterable<Numbers> {
  return messages
    .find({}, { projection: { _id: 0, conversation_id: 1, seq: 1, rev: 1, revs: 1 } })
    .sort({ conversation_id: 1, [field]: 1 })
    .hint(`conversation_${field}`);
}

/** The numbers from 1 to the highest that no stretch covers. */
function uncovered(stretches: [number, number][]): string[] {
  const missing: string[] = [];
  let covered = 0;
  for (const [from, to] of stretches.sort(([one], [other]) => one - other)) {
    if (from > covered + 1) missing.push(span(covered + 1, from - 1));
    covered = Math.max(covered, to);
  }
  return missing;
}

const span = (from: number, to: number) => (from === to ? `${from}` : `${from} to ${to}`);
