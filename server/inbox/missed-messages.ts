/** Reads the messages that a client missed while it was away. */
import type { Document } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import { groupBy } from '../lib/group-by.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { bytesOfMessage, MAX_ANSWER_BYTES } from './answer-size.ts';
import { fitAnswer, type Missed, type Sized } from './fit-answer.ts';
import { openTogether, type Part } from './read-together.ts';

/** Conversations in the first query. */
const FIRST_QUERY = 100;
/** Messages that are read at once: less than this is read in vain because the answer is full. */
const BATCH = 256;

/** What a client lacks of one conversation. */
export interface Gap {
  id: string;
  kind: ConversationRef['kind'];
  /** The client has everything up to this `rev`. */
  rev: number;
  /** Messages up to this `seq` are not visible to the user. */
  fromSeq: number;
  /**
   * The client asks for the newest messages alone: so many, and only as of a `rev`. What changed since comes by the next
   * `sync`, so that nothing is passed over between messages that were read one after the other.
   */
  newest?: { count: number; upToRev: number };
}

/**
 * Reads the visible messages above each gap's `rev` as they are shown, one conversation after the other, until there are
 * `limit`. A second query, for all the rest, follows only where nothing visible was found, so an answer with more to come
 * is never empty, and a client that repeats gets to the end.
 * @param gaps in the order in which they are to be filled
 * @param limit how many messages the answer may have
 */
export async function readMissed(store: MessageStore, gaps: Gap[], limit: number): Promise<Missed> {
  let found = new Map<string, Sized[]>();
  let queried = 0;
  while (queried < gaps.length && found.size === 0) {
    const some = queried === 0 ? gaps.slice(0, FIRST_QUERY) : gaps.slice(queried);
    queried += some.length;
    found = groupBy(await query(store, some, limit), ({ message }) => message.conversation_id);
  }
  const missed = fitAnswer(found, gaps.slice(0, queried), limit);
  const shown = await store.show([...missed.messages.values()].flat());
  missed.messages = groupBy(shown, ({ conversation_id }) => conversation_id);
  for (const { id } of gaps.slice(queried)) missed.incomplete.add(id);
  return missed;
}

/**
 * Reads all gaps by one pipeline, each bounded by an index. The store runs the branches one after the other and stops at
 * the limit; reading stops when the answer is full.
 */
async function query(store: MessageStore, gaps: Gap[], limit: number): Promise<Sized[]> {
  const parts = gaps.map((gap): Part => ({ collection: store.of(gap.kind), stages: branch(gap, limit) }));
  const cursor = openTogether<MessageDocument>(parts as [Part, ...Part[]], { batchSize: BATCH, limit: limit + 1 });
  const found: Sized[] = [];
  let bytes = 0;
  for await (const message of cursor) {
    const sized = { message, bytes: bytesOfMessage(message) };
    found.push(sized);
    // The first one for which there is no room says that the answer is full.
    if (bytes > MAX_ANSWER_BYTES) break;
    bytes += sized.bytes;
  }
  return found;
}

function branch({ id, rev, fromSeq, newest }: Gap, limit: number): Document[] {
  const visible = fromSeq > 0 || newest ? { seq: { $gt: fromSeq } } : {};
  if (newest) {
    return [
      { $match: { conversation_id: id, ...visible, rev: { $lte: newest.upToRev } } },
      { $sort: { seq: -1 } },
      { $limit: newest.count },
      { $unset: 'terms' },
    ];
  }
  return [
    // The rev of a message is never below its seq.
    { $match: { conversation_id: id, rev: { $gt: Math.max(rev, fromSeq) }, ...visible } },
    { $sort: { rev: 1 } },
    { $limit: limit + 1 },
    { $unset: 'terms' },
  ];
}
