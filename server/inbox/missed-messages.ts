/** What a client that was away has missed of its conversations' messages. */
import type { Document } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { MessageDocument } from '../model/documents.ts';

/** Conversations that are looked into by one query. */
const ONE_QUERY = 100;
/** An answer ends early when its texts come to more, in bytes: a client with a thin line gets several small ones. */
const MAX_ANSWER_BYTES = 512 * 1024;

/** What is to be read of a conversation. */
export interface Gap {
  id: string;
  kind: 'direct' | 'group';
  /** The client has everything up to this `rev`. */
  rev: number;
  /** Messages up to this `seq` are not visible to it. */
  fromSeq: number;
}

export interface Missed {
  /** By conversation, ascending by `rev`. */
  messages: Map<string, MessageDocument[]>;
  /** Conversations of which there is, or may be, more. */
  incomplete: Set<string>;
}

const COLLECTION = { direct: 'messages', group: 'group_messages' } as const;

/**
 * Reads the visible messages above each gap's `rev`, one conversation after the other, until `limit` are found. One
 * query for up to a hundred conversations; a further one only if those had nothing visible, so that an answer with
 * more to come is never empty and whoever repeats gets to the end.
 * @param gaps in the order in which they are to be filled
 * @param limit of messages
 */
export async function readMissed(collections: Collections, gaps: Gap[], limit: number): Promise<Missed> {
  const found = new Map<string, MessageDocument[]>();
  let looked = 0;
  while (looked < gaps.length && found.size === 0) {
    const some = gaps.slice(looked, looked + ONE_QUERY);
    looked += some.length;
    for (const message of await query(collections, some, limit)) {
      const known = found.get(message.conversation_id);
      if (known) known.push(message);
      else found.set(message.conversation_id, [message]);
    }
  }
  return cut(found, gaps, looked, limit);
}

/**
 * All branches in one pipeline, each bounded by the index on (conversation, rev); the store runs one after the other
 * and stops at the limit.
 */
function query(collections: Collections, gaps: Gap[], limit: number): Promise<MessageDocument[]> {
  const branches = gaps.map(({ id, rev, fromSeq }): Document[] => [
    {
      // A message's rev is never below its seq.
      $match: {
        conversation_id: id,
        rev: { $gt: Math.max(rev, fromSeq) },
        ...(fromSeq > 0 ? { seq: { $gt: fromSeq } } : {}),
      },
    },
    { $sort: { rev: 1 } },
    { $limit: limit + 1 },
    { $unset: 'terms' },
  ]);
  const pipeline = [
    ...branches[0]!,
    ...branches
      .slice(1)
      .map((branch, i) => ({ $unionWith: { coll: COLLECTION[gaps[i + 1]!.kind], pipeline: branch } })),
    { $limit: limit + 1 },
  ];
  const first = collections[COLLECTION[gaps[0]!.kind]];
  return first.aggregate<MessageDocument>(pipeline, { batchSize: limit + 2 }).toArray();
}

/** Leaves what one answer has room for. */
function cut(found: Map<string, MessageDocument[]>, gaps: Gap[], looked: number, limit: number): Missed {
  const messages = new Map<string, MessageDocument[]>();
  const incomplete = new Set(gaps.slice(looked).map(({ id }) => id));
  let count = 0;
  let bytes = 0;
  let isFull = false;
  for (const { id } of gaps.slice(0, looked)) {
    const kept: MessageDocument[] = [];
    // A message that was changed while it was being read may be found at both places.
    const all = new Map((found.get(id) ?? []).map((message) => [message._id.toHexString(), message]));
    for (const message of [...all.values()].sort((one, other) => one.rev - other.rev)) {
      isFull ||= count === limit || (bytes > MAX_ANSWER_BYTES && count > 0);
      if (isFull) break;
      kept.push(message);
      count++;
      bytes += Buffer.byteLength(message.content);
    }
    if (kept.length > 0) messages.set(id, kept);
    if (isFull) incomplete.add(id);
  }
  return { messages, incomplete };
}
