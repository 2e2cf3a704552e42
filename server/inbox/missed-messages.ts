/** Reads the messages that a client missed while it was away. */
import type { Document } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { fitAnswer, type Missed } from './fit-answer.ts';

/** Conversations in one query. */
const MAX_QUERY = 100;

/** What a client lacks of one conversation. */
export interface Gap {
  id: string;
  kind: ConversationRef['kind'];
  /** The client has everything up to this `rev`. */
  rev: number;
  /** Messages up to this `seq` are not visible to the user. */
  fromSeq: number;
}

/**
 * Reads the visible messages above each gap's `rev`, one conversation after the other, until there are `limit`. A
 * further query follows only while nothing visible was found, so an answer with more to come is never empty, and a
 * client that repeats gets to the end.
 * @param gaps in the order in which they are to be filled
 * @param limit how many messages the answer may have
 */
export async function readMissed(store: MessageStore, gaps: Gap[], limit: number): Promise<Missed> {
  const found = new Map<string, MessageDocument[]>();
  let queried = 0;
  while (queried < gaps.length && found.size === 0) {
    const some = gaps.slice(queried, queried + MAX_QUERY);
    queried += some.length;
    for (const message of await query(store, some, limit)) {
      const known = found.get(message.conversation_id);
      if (known) known.push(message);
      else found.set(message.conversation_id, [message]);
    }
  }
  const ids = gaps.map(({ id }) => id);
  const missed = fitAnswer(found, ids.slice(0, queried), limit);
  for (const id of ids.slice(queried)) missed.incomplete.add(id);
  return missed;
}

/**
 * Reads all gaps by one pipeline, each bounded by the index on (conversation, rev). The store runs the branches one
 * after the other and stops at the limit.
 */
function query(store: MessageStore, gaps: Gap[], limit: number): Promise<MessageDocument[]> {
  const [first, ...rest] = gaps as [Gap, ...Gap[]];
  const pipeline = [
    ...branch(first, limit),
    ...rest.map((gap) => ({
      $unionWith: { coll: store.of(gap.kind).collectionName, pipeline: branch(gap, limit) },
    })),
    { $limit: limit + 1 },
  ];
  return store
    .of(first.kind)
    .aggregate<MessageDocument>(pipeline, { batchSize: limit + 2 })
    .toArray();
}

function branch({ id, rev, fromSeq }: Gap, limit: number): Document[] {
  return [
    {
      $match: {
        conversation_id: id,
        // The rev of a message is never below its seq.
        rev: { $gt: Math.max(rev, fromSeq) },
        ...(fromSeq > 0 ? { seq: { $gt: fromSeq } } : {}),
      },
    },
    { $sort: { rev: 1 } },
    { $limit: limit + 1 },
    { $unset: 'terms' },
  ];
}
