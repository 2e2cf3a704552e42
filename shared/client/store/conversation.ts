/** What happens to one conversation, as pure functions. */
import type { Conversation, Message, Receipt } from '../contract.ts';
import { findBySeq, merge } from './messages.ts';
import { raise, receiptOf } from './receipts.ts';
import { knows, learn, learnUpTo } from './spans.ts';
import { isAside, type Kept, targetOf, targetOfMessage } from './state.ts';
import { withSummaries } from './threads.ts';
import { countAnew, unreadOf } from './unread.ts';

/** Told to the app as: what it has not had, a later state of what it has had, or nothing new. */
export type Novelty = 'new' | 'updated' | undefined;

/** A conversation that was never asked for: this message is the first that is known. */
function stubOf(message: Message, me: string | undefined): Kept {
  const target = targetOfMessage(message, me);
  const { seq: fromSeq } = message;
  return {
    target,
    conversation: undefined,
    messages: [],
    fromSeq,
    hasOlder: fromSeq > 1,
    rev: 0,
    toldRev: 0,
    ahead: [],
  };
}

export function noveltyOf(kept: Kept | undefined, message: Message): Novelty {
  if (!kept) return 'new';
  const known = findBySeq(kept.messages, message.seq);
  if (known) return known.rev < message.rev ? 'updated' : undefined;
  if (message.seq >= kept.fromSeq || kept.rev === 0) return 'new';
  return knows(kept, message.rev) ? undefined : 'updated';
}

/** A message was made or changed. */
export function withMessage(before: Kept | undefined, message: Message, me: string | undefined): Kept {
  const kept = before ?? stubOf(message, me);
  const novelty = noveltyOf(kept, message);
  const known = learn(kept, message.rev);
  if (!novelty) return known === kept ? kept : { ...kept, ...known };
  const fromSeq = kept.rev === 0 ? Math.min(kept.fromSeq, message.seq) : kept.fromSeq;
  const { conversation, messages, toldRev } = kept;
  const summary = conversation && withLast(conversation, message);
  const count =
    summary && message.rev > toldRev ? countAnew(summary, message, novelty, findBySeq(messages, message.seq), me) : {};
  return {
    ...kept,
    ...known,
    fromSeq,
    messages: message.seq >= fromSeq ? withSummaries(merge(messages, [message]), [message]) : messages,
    conversation: summary && { ...summary, ...count },
  };
}

/** The conversation's document with a message that may be its last. */
function withLast(conversation: Conversation, message: Message): Conversation {
  const { last_message, last_seq, rev, updated_at } = conversation;
  const isLast = !isAside(message) && message.seq >= (last_message?.seq ?? 0);
  const isActivity = isLast && message.seq > (last_message?.seq ?? 0) && updated_at < message.created_at;
  return {
    ...conversation,
    last_seq: Math.max(last_seq, message.seq),
    rev: Math.max(rev, message.rev),
    last_message:
      isLast && (last_message?.seq !== message.seq || last_message.rev < message.rev) ? message : last_message,
    updated_at: isActivity ? message.created_at : updated_at,
  };
}

/** The server told the conversation's document. */
export function withConversation(kept: Kept | undefined, told: Conversation, me: string | undefined): Kept | undefined {
  const target = kept?.target ?? targetOf(told);
  if (!target) return kept;
  const known = kept?.conversation;
  if (!kept) {
    const fromSeq = told.last_seq + 1;
    const hasOlder = told.last_seq > 0;
    return { target, conversation: told, messages: [], fromSeq, hasOlder, rev: 0, toldRev: told.rev, ahead: [] };
  }
  if (!known) return { ...kept, conversation: kept.messages.reduce(withLast, told), toldRev: told.rev };
  const receipts = raise(told.receipts, known.receipts.filter(isAmong(told.receipts)));
  if (told.rev >= known.rev) return { ...kept, conversation: { ...told, receipts }, toldRev: told.rev };
  // It was made before what was told meanwhile.
  const { last_message, last_seq, rev, unread_count, updated_at } = known;
  const newer = { last_message, last_seq, rev, unread_count, updated_at, receipts, ...unreadOf(kept, receipts, me) };
  return { ...kept, conversation: { ...told, ...newer } };
}

const isAmong =
  (receipts: readonly Receipt[]) =>
  ({ user_id }: Receipt) =>
    receiptOf(receipts, user_id) !== undefined;

/** A user's marks were raised. */
export function withReceipt(kept: Kept, receipt: Receipt, me: string | undefined): Kept {
  const { conversation } = kept;
  if (!conversation) return kept;
  const receipts = raise(conversation.receipts, [receipt]);
  if (receipts === conversation.receipts) return kept;
  const unread = receipt.user_id === me ? unreadOf(kept, receipts, me) : {};
  return { ...kept, conversation: { ...conversation, receipts, ...unread } };
}

/** What `sync` answers of one conversation. */
export interface SyncedPart {
  conversation: Conversation;
  messages: readonly Message[];
  has_more: boolean;
}

/**
 * A part of an answer of `sync`.
 * @param wasNamed whether the client said what it has of it; where it did not, the answer begins anew
 * @param newest how many messages an answer of a conversation that was not named has at most, if that was asked for
 */
export function withSynced(
  before: Kept | undefined,
  { conversation, messages, has_more }: SyncedPart,
  { wasNamed, newest }: { wasNamed: boolean; newest: number | undefined },
  me: string | undefined,
): Kept | undefined {
  const target = before?.target ?? targetOf(conversation);
  if (!target) return before;
  const bySeq = [...messages].sort((one, other) => one.seq - other.seq);
  let kept: Kept;
  if (before && wasNamed) {
    const inRange = bySeq.filter(({ seq }) => seq >= before.fromSeq);
    kept = { ...before, messages: withSummaries(merge(before.messages, inRange), inRange) };
  } else {
    // Without `newest` everything comes, from the first visible message on.
    const isCut = newest !== undefined && messages.length >= newest && bySeq[0]!.seq > 1;
    const fromSeq = isCut ? bySeq[0]!.seq : 1;
    const newer = before?.messages.filter(({ seq }) => seq >= fromSeq) ?? [];
    const known = before ?? { rev: 0, ahead: [] };
    kept = {
      target,
      conversation: before?.conversation,
      messages: merge(bySeq, newer),
      fromSeq,
      hasOlder: isCut,
      toldRev: 0,
      rev: known.rev,
      ahead: known.ahead,
    };
  }
  const upTo = has_more ? Math.max(0, ...messages.map(({ rev }) => rev)) : conversation.rev;
  return withConversation({ ...kept, ...learnUpTo(kept, upTo) }, conversation, me);
}

/**
 * A page of history below what is kept; ignored where it does not join on.
 * @param below the `before_seq` that was asked for; the newest page where it is undefined
 */
export function withOlder(
  before: Kept | undefined,
  page: readonly Message[],
  hasOlder: boolean,
  below: number | undefined,
  me: string | undefined,
): Kept | undefined {
  const newest = page.at(-1);
  const kept = before ?? (newest && stubOf(newest, me));
  if (!kept || (before && below !== kept.fromSeq)) return kept;
  const messages = merge(kept.messages, page);
  return { ...kept, messages, hasOlder, fromSeq: hasOlder && page[0] ? page[0].seq : 1 };
}

/** Only the newest messages, so many at most. */
export function withNewestOnly(kept: Kept, most: number): Kept {
  if (kept.messages.length <= most) return kept;
  const messages = kept.messages.slice(-most);
  return { ...kept, messages, fromSeq: messages[0]!.seq, hasOlder: true };
}
