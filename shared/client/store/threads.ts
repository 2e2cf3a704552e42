/** What happens to threads, as pure functions: what messages show of theirs, and those that somebody looks at. */
import type { CommandData, EventPayload, Message } from '../contract.ts';
import { findBySeq, merge } from './messages.ts';

/** What is kept of a thread that somebody has looked at. */
export interface KeptThread {
  conversationId: string;
  root: Message;
  /** The replies, ascending by `seq`: all from `fromSeq` on. */
  replies: readonly Message[];
  fromSeq: number;
  /** Whether there are any below. */
  hasOlder: boolean;
  following: boolean;
  readSeq: number;
  unreadCount: number;
}

type Summary = NonNullable<Message['thread']>;

/** How many of those who replied a message names. */
const MOST_NAMED = 5;

/** @returns what a message shows of its thread; undefined where no reply counts */
function summaryOf(replies: readonly Message[]): Summary | undefined {
  const counted = replies.filter(({ is_deleted }) => !is_deleted);
  const last = counted.at(-1);
  if (!last) return undefined;
  const user_ids = [...new Set(counted.map(({ sender_id }) => sender_id).reverse())].slice(0, MOST_NAMED);
  return { reply_count: counted.length, last_reply_at: last.created_at, user_ids };
}

function withSummary(root: Message, replies: readonly Message[]): Message {
  const { thread: _, ...others } = root;
  const thread = summaryOf(replies);
  return { ...(others as Message), ...(thread ? { thread } : {}) };
}

/**
 * The messages of a conversation, where what was changed moves what others show of their threads. The server tells a
 * summary with its root alone, and a reply changes no `rev` but its own: so replies are counted here. All of a root that
 * is kept are kept too, since each comes after it.
 */
export function withSummaries(messages: readonly Message[], changed: readonly Message[]): readonly Message[] {
  // A root may come after its replies.
  const touched = new Set(changed.map(({ thread_id, _id }) => thread_id ?? _id));
  const repliesTo = new Map<string, Message[]>();
  for (const reply of messages) {
    if (reply.thread_id === undefined || !touched.has(reply.thread_id)) continue;
    const replies = repliesTo.get(reply.thread_id);
    if (replies) replies.push(reply);
    else repliesTo.set(reply.thread_id, [reply]);
  }
  if (repliesTo.size === 0) return messages;
  return messages.map((root) => {
    const replies = repliesTo.get(root._id);
    return replies ? withSummary(root, replies) : root;
  });
}

/** A page of `message:thread`: the newest, or the one below what is kept; ignored where it does not join on. */
export function withThreadPage(
  kept: KeptThread | undefined,
  { root, messages, has_more, following, read_seq, unread_count }: CommandData<'message:thread'>,
  below: number | undefined,
): KeptThread | undefined {
  if (below !== undefined && below !== kept?.fromSeq) return kept;
  const [first] = messages;
  const joins = kept && (below !== undefined || !has_more || (first && first.seq <= (kept.replies.at(-1)?.seq ?? 0)));
  const replies = merge(joins ? kept.replies : [], messages);
  const isLower = !joins || below !== undefined || !has_more;
  const { thread: _, ...newer } = kept && kept.root.rev > root.rev ? kept.root : root;
  return {
    conversationId: root.conversation_id,
    root: { ...(newer as Message), ...(root.thread ? { thread: root.thread } : {}) },
    replies,
    fromSeq: isLower ? (has_more && first ? first.seq : 1) : kept.fromSeq,
    hasOlder: isLower ? has_more : kept.hasOlder,
    following,
    readSeq: read_seq,
    unreadCount: unread_count,
  };
}

/** A message was made or changed: perhaps a reply, or the root. */
export function withThreadMessage(kept: KeptThread, message: Message, me: string | undefined): KeptThread {
  if (message._id === kept.root._id) {
    const { thread: _, ...others } = message;
    const { thread } = kept.root;
    return message.rev > kept.root.rev
      ? { ...kept, root: { ...(others as Message), ...(thread ? { thread } : {}) } }
      : kept;
  }
  if (message.thread_id !== kept.root._id || message.seq < kept.fromSeq) return kept;
  const known = findBySeq(kept.replies, message.seq);
  const replies = merge(kept.replies, [message]);
  if (replies === kept.replies) return kept;
  const step = Number(!message.is_deleted) - Number(known !== undefined && !known.is_deleted);
  const counts = message.sender_id !== me && message.seq > kept.readSeq;
  return {
    ...kept,
    root: kept.hasOlder ? stepped(kept.root, message, step) : withSummary(kept.root, replies),
    replies,
    unreadCount: counts ? Math.max(0, kept.unreadCount + step) : kept.unreadCount,
  };
}

/** A root whose thread has a reply more, or less, where not all of them are kept. */
function stepped(root: Message, { sender_id, created_at }: Message, step: number): Message {
  const { thread } = root;
  if (!thread || step === 0) return root;
  const user_ids = [sender_id, ...thread.user_ids.filter((id) => id !== sender_id)].slice(0, MOST_NAMED);
  const last = step > 0 ? { last_reply_at: created_at, user_ids } : {};
  return { ...root, thread: { ...thread, reply_count: Math.max(1, thread.reply_count + step), ...last } };
}

/** The user's place in a thread was told. */
export function withPlace(
  kept: KeptThread,
  {
    following,
    read_seq,
    unread_count,
  }: Pick<EventPayload<'thread:updated'>, 'following' | 'read_seq' | 'unread_count'>,
): KeptThread {
  return { ...kept, following, readSeq: Math.max(kept.readSeq, read_seq), unreadCount: unread_count };
}

/** The user has read a thread up to a `seq`. */
export function withThreadRead(kept: KeptThread, upTo: number, me: string | undefined): KeptThread {
  if (upTo <= kept.readSeq) return kept;
  const unread = kept.replies.filter((one) => one.seq > upTo && one.sender_id !== me && !one.is_deleted);
  return { ...kept, readSeq: upTo, unreadCount: unread.length };
}
