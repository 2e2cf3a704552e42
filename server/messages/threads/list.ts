/** `thread:list` (PROTOCOL section 16, "Threads"): the followed threads that have a reply, by the newest one. */

import type { ObjectId } from 'mongodb';
import Type, { type Static } from 'typebox';
import type { CommandData } from '../../../shared/contract/index.ts';
import type { MessageStore } from '../../conversations/message-store.ts';
import type { VisibleAmong } from '../../conversations/visible-messages.ts';
import type { Handler } from '../../dispatch/handlers.ts';
import { invalid } from '../../lib/errors.ts';
import { compile } from '../../lib/validation.ts';
import { KINDS, refFromId } from '../../model/conversation-ref.ts';
import type { MessageDocument, ThreadMarkDocument } from '../../model/documents/messages.ts';
import { toWireMessage } from '../../model/views/message.ts';
import { DEFAULT_LIMIT, MAX_ANSWER_BYTES } from '../page.ts';
import type { ThreadMarks } from './marks.ts';
import { countUnreadReplies } from './unread.ts';

type Threads = CommandData<'thread:list'>['threads'];

/** Where a page ends. */
const Cursor = Type.Object({
  at: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
  seq: Type.Integer({ minimum: 0 }),
  id: Type.String({ maxLength: 24 }),
});
type Cursor = Static<typeof Cursor>;
const isCursor = compile(Cursor);

/** A followed thread, and its newest reply that is not deleted. */
interface Listed {
  mark: ThreadMarkDocument;
  count: number;
  seq: number;
  at: number;
  id: string;
}

export interface ThreadListOptions {
  store: Pick<MessageStore, 'of' | 'show'>;
  marks: Pick<ThreadMarks, 'followed'>;
  visibleAmong: VisibleAmong;
}

/** @returns a handler that throws ContractError `validation_failed` for a cursor that did not come from a page */
export function createThreadList({ store, marks, visibleAmong }: ThreadListOptions): Handler<'thread:list'> {
  /** The visible threads among these that have a reply, newest first, by one command for each kind of conversation. */
  async function read(userId: ObjectId, followed: readonly ThreadMarkDocument[]): Promise<Listed[]> {
    const placed = followed.map((mark) => ({ mark, conversation_id: mark.conversation_id, seq: mark.root_seq }));
    const visible = (await visibleAmong(userId, placed)).map(({ mark }) => mark);
    const markOf = new Map(visible.map((mark) => [mark.root_id.toHexString(), mark]));
    const found = await Promise.all(
      KINDS.map((kind) => {
        const some = visible.filter(({ conversation_id }) => refFromId(conversation_id).kind === kind);
        if (some.length === 0) return [];
        return store
          .of(kind)
          .aggregate<{ _id: ObjectId; count: number; seq: number; at: Date }>(
            [
              {
                $match: {
                  conversation_id: { $in: [...new Set(some.map(({ conversation_id }) => conversation_id))] },
                  thread_id: { $in: some.map(({ root_id }) => root_id) },
                  is_deleted: false,
                },
              },
              { $project: { _id: 0, thread_id: 1, seq: 1, created_at: 1 } },
              {
                $group: {
                  _id: '$thread_id',
                  count: { $sum: 1 },
                  seq: { $max: '$seq' },
                  at: { $max: '$created_at' },
                },
              },
            ],
            { hint: 'thread_summary' },
          )
          .toArray();
      }),
    );
    return found
      .flat()
      .map(({ _id, count, seq, at }) => {
        const id = _id.toHexString();
        return { mark: markOf.get(id)!, count, seq, at: at.getTime(), id };
      })
      .sort(compareNewestFirst);
  }

  /** The roots and last replies of the threads. */
  async function readMessages(page: readonly Listed[]): Promise<MessageDocument[]> {
    const found = await Promise.all(
      KINDS.map((kind) => {
        const some = page.filter(({ mark }) => refFromId(mark.conversation_id).kind === kind);
        if (some.length === 0) return [];
        const alternatives = some.map(({ mark, seq }) => ({
          conversation_id: mark.conversation_id,
          seq: { $in: [mark.root_seq, seq] },
        }));
        return store
          .of(kind)
          .find({ $or: alternatives }, { projection: { terms: 0 } })
          .toArray();
      }),
    );
    return store.show(found.flat());
  }

  return async ({ userId }, { cursor, limit = DEFAULT_LIMIT }) => {
    const after = cursor === undefined ? undefined : fromCursor(cursor);
    const all = await read(userId, await marks.followed(userId));
    const rest = after ? all.filter((one) => compareNewestFirst(one, after) > 0) : all;
    const page = rest.slice(0, limit);
    const [messages, unread] = await Promise.all([
      readMessages(page),
      countUnreadReplies(
        store,
        userId,
        page.map(({ mark }) => mark),
      ),
    ]);
    const messageAt = new Map(messages.map((message) => [`${message.conversation_id} ${message.seq}`, message]));
    const threads: Threads = [];
    let bytes = 0;
    for (const { mark, count, seq, id } of page) {
      const { conversation_id, root_seq, read_seq } = mark;
      const thread = {
        root: toWireMessage(messageAt.get(`${conversation_id} ${root_seq}`)!),
        last_reply: toWireMessage(messageAt.get(`${conversation_id} ${seq}`)!),
        reply_count: count,
        unread_count: unread.get(id) ?? 0,
        read_seq,
      };
      bytes += Buffer.byteLength(JSON.stringify(thread));
      if (threads.length > 0 && bytes > MAX_ANSWER_BYTES) break;
      threads.push(thread);
    }
    const last = page[threads.length - 1];
    return { threads, ...(last && threads.length < rest.length ? { cursor: toCursor(last) } : {}) };
  };
}

/** By time; within a conversation, `seq` orders what came in the same millisecond. */
function compareNewestFirst(one: Cursor, other: Cursor): number {
  if (one.at !== other.at) return other.at - one.at;
  if (one.seq !== other.seq) return other.seq - one.seq;
  return one.id < other.id ? 1 : Number(one.id > other.id) * -1;
}

function toCursor({ at, seq, id }: Cursor): string {
  return Buffer.from(JSON.stringify({ at, seq, id })).toString('base64url');
}

function fromCursor(text: string): Cursor {
  try {
    const cursor: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (isCursor(cursor)) return cursor as Cursor;
  } catch {
    // As for anything else that is no cursor.
  }
  throw invalid('cursor', 'is not one that thread:list gave');
}
