/** Counts of what is unread: what others wrote above the own mark, without tombstones and replies that stand aside. */
import type { Conversation, Message, Receipt } from '../contract.ts';
import { receiptOf } from './receipts.ts';
import { isAside, type Kept } from './state.ts';

/** Counts that a conversation may carry. */
interface Counts {
  unread_count?: number;
  mention_count?: number;
}

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
  const { unread_count, mention_count, receipts } = conversation as Conversation & Counts;
  const isUnread = message.sender_id !== me && message.seq > (receiptOf(receipts, me)?.read_seq ?? 0);
  if (!isUnread) return {};
  // A tombstone does not change any more: a change that shows one is the deletion.
  const wasCounted = before ? !before.is_deleted : novelty === 'updated';
  const step = isAside(message) ? 0 : Number(!message.is_deleted) - Number(wasCounted);
  const counts: Counts = { unread_count: Math.max(0, unread_count + step) };
  if (mention_count === undefined) return counts;
  const mentions = Number(isNamed(message, me)) - Number(before !== undefined && isNamed(before, me));
  return { ...counts, mention_count: Math.max(0, mention_count + mentions) };
}

/** The counts by the messages that are kept; none where the mark is below them. */
export function unreadOf(
  { messages, fromSeq, hasOlder, conversation }: Kept,
  receipts: Receipt[],
  me: string | undefined,
) {
  const read = receiptOf(receipts, me)?.read_seq ?? 0;
  if (hasOlder && read + 1 < fromSeq) return {};
  const unread = messages.filter((one) => one.seq > read && one.sender_id !== me && !one.is_deleted);
  const counts: Counts = { unread_count: unread.filter((one) => !isAside(one)).length };
  const hasMentions = (conversation as Counts | undefined)?.mention_count !== undefined;
  if (hasMentions) counts.mention_count = unread.filter((one) => isNamed(one, me)).length;
  return counts;
}

/** Whether a message mentions a user. */
function isNamed(message: Message, me: string | undefined): boolean {
  const { mentions } = message as { mentions?: { user_ids?: string[]; everyone?: true } };
  return !message.is_deleted && (mentions?.everyone === true || mentions?.user_ids?.includes(me ?? '') === true);
}
