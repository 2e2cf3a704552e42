/** `message:thread` (PROTOCOL section 16): a message and a page of the replies to it. */
import type { Access } from '../../conversations/access.ts';
import type { MessageStore } from '../../conversations/message-store.ts';
import { visibleSeqs } from '../../conversations/visibility.ts';
import type { Caller } from '../../dispatch/caller.ts';
import type { Handler } from '../../dispatch/handlers.ts';
import { conflict } from '../../lib/errors.ts';
import type { MessageDocument } from '../../model/documents/messages.ts';
import { toWireMessage } from '../../model/views/message.ts';
import { DEFAULT_LIMIT, ONE_REPLY, readPage, toPage } from '../page.ts';
import type { Reach } from '../reach.ts';
import type { ThreadMarks } from './marks.ts';
import { countUnreadReplies } from './unread.ts';

/** As `Reach`, for the message that a thread hangs on. @throws ContractError `conflict` for a reply */
export type ReachRoot = (caller: Caller, messageId: string) => Promise<{ root: MessageDocument; entered: Access }>;

/** How many replies of others lie above a mark. */
export type UnreadOf = (caller: Caller, root: MessageDocument, readSeq: number) => Promise<number>;

export function createReachRoot(reach: Reach): ReachRoot {
  return async (caller, messageId) => {
    const { message, entered } = await reach(caller, messageId);
    if (message.thread_id) throw conflict('a reply in a thread has no thread of its own');
    return { root: message, entered };
  };
}

export function createUnreadOf(store: Pick<MessageStore, 'of'>): UnreadOf {
  return async ({ userId }, { _id, conversation_id }, read_seq) => {
    const counts = await countUnreadReplies(store, userId, [{ root_id: _id, conversation_id, read_seq }]);
    return counts.get(_id.toHexString()) ?? 0;
  };
}

export interface ReadThreadOptions {
  store: Pick<MessageStore, 'of' | 'show' | 'withThreads'>;
  marks: Pick<ThreadMarks, 'find'>;
  reachRoot: ReachRoot;
  unreadOf: UnreadOf;
}

export function createReadThread({ store, marks, reachRoot, unreadOf }: ReadThreadOptions): Handler<'message:thread'> {
  return async (caller, payload) => {
    const { message_id, after_seq, limit = DEFAULT_LIMIT } = payload;
    const { root, entered } = await reachRoot(caller, message_id);
    const isForward = after_seq !== undefined;
    const cursor = store
      .of(entered.conversation.kind)
      .find(
        {
          conversation_id: root.conversation_id,
          thread_id: root._id,
          seq: visibleSeqs(entered.fromSeq, payload),
        },
        { projection: { terms: 0 }, hint: 'thread', batchSize: ONE_REPLY },
      )
      .sort({ seq: isForward ? 1 : -1 })
      .limit(limit + 1);
    const [{ found, most }, mark] = await Promise.all([readPage(cursor, limit), marks.find(caller.userId, root._id)]);
    const read_seq = mark?.read_seq ?? 0;
    const [[shownRoot], replies, unread_count] = await Promise.all([
      store.withThreads([root]),
      store.show(found),
      unreadOf(caller, root, read_seq),
    ]);
    const page = toPage(replies, most);
    return {
      root: toWireMessage(shownRoot!),
      ...page,
      messages: isForward ? page.messages : page.messages.reverse(),
      following: mark?.following ?? false,
      read_seq,
      unread_count,
    };
  };
}
