/** Counts of what is unread: what others wrote above the own mark, without tombstones and replies that stand aside. */
import type { Conversation, Message, Receipt } from '../contract.ts';
import { receiptOf } from './receipts.ts';
import { isAside, type Kept } from './state.ts';

type Counts = Partial<Pick<Conversation, 'unread_count' | 'mention_count'>>;

/**
 * The counts of a conversation once a message was made or changed.
 * @param before the message as it was known, if it was
 */
export function countAnew(
  conversation: Conversation,
  message: Message,
  novelty: 'new' | 'updated',
  before: Message | undefined,
  me: string | undefined,
): Counts {
  const { unread_count, mention_count, receipts } = conversation;
  const isUnread = message.sender_id !== me && message.seq > (receiptOf(receipts, me)?.read_seq ?? 0);
  if (!isUnread) return {};
  // A tombstone does not change any more: a change that shows one is the deletion.
  const wasCounted = before ? !before.is_deleted : novelty === 'updated';
  const step = isAside(message) ? 0 : Number(!message.is_deleted) - Number(wasCounted);
  const mentions = Number(isNamed(message, me)) - Number(before !== undefined && isNamed(before, me));
  return { unread_count: Math.max(0, unread_count + step), mention_count: Math.max(0, mention_count + mentions) };
}

/** The counts by the messages that are kept; none where the mark is below them. */
export function unreadOf({ messages, fromSeq, hasOlder }: Kept, receipts: Receipt[], me: string | undefined): Counts {
  const read = receiptOf(receipts, me)?.read_seq ?? 0;
  if (hasOlder && read + 1 < fromSeq) return {};
  const unread = messages.filter((one) => one.seq > read && one.sender_id !== me && !one.is_deleted);
  return {
    unread_count: unread.filter((one) => !isAside(one)).length,
    mention_count: unread.filter((one) => isNamed(one, me)).length,
  };
}

/** Whether a message mentions a user. */
function isNamed({ is_deleted, mentions }: Message, me: string | undefined): boolean {
  return !is_deleted && (mentions?.everyone === true || mentions?.user_ids?.includes(me ?? '') === true);
}
