/**
 * What messages show of the replies to them (PROTOCOL section 16, "Threads"). It is derived from the replies whenever such
 * a message is shown, so it is right once a reply is acknowledged, and no message has to be written for it.
 */
import type { Collection, ObjectId } from 'mongodb';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MessageDocument, ThreadSummary } from '../model/documents/messages.ts';

/** How many of those who replied are named. */
const NAMED = 5;

/** What one user's replies in a thread come to. */
interface Share {
  _id: { thread: ObjectId; user: ObjectId };
  count: number;
  seq: number;
  at: Date;
}

/** Adds to each message what it shows of its thread, by one command for each kind of conversation in which any has one. */
export type WithThreads = <M extends MessageDocument>(messages: readonly M[]) => Promise<M[]>;

export function createWithThreads(of: (kind: ConversationRef['kind']) => Collection<MessageDocument>): WithThreads {
  async function read(kind: ConversationRef['kind'], roots: readonly MessageDocument[]): Promise<Share[]> {
    if (roots.length === 0) return [];
    return of(kind)
      .aggregate<Share>(
        [
          {
            $match: {
              conversation_id: { $in: [...new Set(roots.map(({ conversation_id }) => conversation_id))] },
              thread_id: { $in: roots.map(({ _id }) => _id) },
              is_deleted: false,
            },
          },
          { $project: { _id: 0, thread_id: 1, sender_id: 1, seq: 1, created_at: 1 } },
          {
            $group: {
              _id: { thread: '$thread_id', user: '$sender_id' },
              count: { $sum: 1 },
              seq: { $max: '$seq' },
              at: { $max: '$created_at' },
            },
          },
        ],
        { hint: 'thread_summary' },
      )
      .toArray();
  }

  return async <M extends MessageDocument>(messages: readonly M[]) => {
    const roots = messages.filter(({ has_thread }) => has_thread);
    if (roots.length === 0) return [...messages];
    const shares = await Promise.all([
      read(
        'direct',
        roots.filter((root) => !('group_id' in root)),
      ),
      read(
        'group',
        roots.filter((root) => 'group_id' in root),
      ),
    ]);
    const threads = summariesOf(shares.flat());
    return messages.map((message): M => {
      const { thread: _earlier, ...rest } = message;
      const thread = threads.get(message._id.toHexString());
      return (thread ? { ...rest, thread } : rest) as M;
    });
  };
}

function summariesOf(shares: readonly Share[]): Map<string, ThreadSummary> {
  const byThread = new Map<string, Share[]>();
  for (const share of shares) {
    const id = share._id.thread.toHexString();
    const known = byThread.get(id);
    if (known) known.push(share);
    else byThread.set(id, [share]);
  }
  return new Map(
    [...byThread].map(([id, ofThread]) => {
      const newestFirst = ofThread.toSorted((one, other) => other.seq - one.seq);
      const summary: ThreadSummary = {
        reply_count: ofThread.reduce((sum, { count }) => sum + count, 0),
        last_reply_at: newestFirst[0]!.at,
        user_ids: newestFirst.slice(0, NAMED).map(({ _id }) => _id.user),
      };
      return [id, summary];
    }),
  );
}
