/**
 * Messages as they are shown. Marks are the truth about receipts; the stored `status` and `read_by` follow some seconds
 * behind (`inbox/settling.ts`). In between, what the marks say is added whenever a message is shown.
 */
import { batched } from '../lib/group-commit.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupMessageDocument, MessageDocument, PairMessageDocument } from '../model/documents/messages.ts';
import { isShownRead } from './shown-reads.ts';

/** A member's marks that the stored messages do not say yet. */
export const UNSETTLED_FIELDS = ['user_id', 'conversation_id', 'delivered_seq', 'shown_reads', 'marks_at'] as const;
export type UnsettledMarks = Pick<MembershipDocument, (typeof UNSETTLED_FIELDS)[number]>;

/** Conversations in one query. */
const MAX_QUERY = 1000;
/** Marks in one reply of the store: those of a whole answer. */
const ONE_REPLY = 10_000;

/** Completes messages of any conversations by what the marks say; returns them in the same order. */
export type ShowMessages = <M extends MessageDocument>(messages: readonly M[]) => Promise<M[]>;

export function createShowMessages({ memberships }: Pick<Collections, 'memberships'>): ShowMessages {
  const readUnsettled = batched(
    'unsettled marks',
    async (conversationIds: readonly string[]) => {
      const byConversation = new Map(conversationIds.map((id) => [id, [] as UnsettledMarks[]]));
      const found = memberships.find<UnsettledMarks>(
        { conversation_id: { $in: [...byConversation.keys()] }, settling_from: { $exists: true } },
        {
          projection: { _id: 0, ...Object.fromEntries(UNSETTLED_FIELDS.map((field) => [field, 1])) },
          hint: 'settling',
          batchSize: ONE_REPLY,
        },
      );
      for await (const marks of found) byConversation.get(marks.conversation_id)?.push(marks);
      return conversationIds.map((id) => byConversation.get(id)!.sort(byTime));
    },
    { most: MAX_QUERY },
  );

  return async (messages) => {
    if (messages.length === 0) return [];
    const ids = [...new Set(messages.map(({ conversation_id }) => conversation_id))];
    const found = await Promise.all(ids.map((id) => readUnsettled(id)));
    const unsettled = new Map(ids.map((id, i) => [id, found[i]!]));
    return messages.map((message) => shown(message, unsettled.get(message.conversation_id)!));
  };
}

/** In the order of reading. */
export function byTime(one: Pick<UnsettledMarks, 'marks_at'>, other: Pick<UnsettledMarks, 'marks_at'>): number {
  return (one.marks_at?.getTime() ?? 0) - (other.marks_at?.getTime() ?? 0);
}

/** A message with what the marks of a conversation's members say of it. */
export function shown<M extends MessageDocument>(message: M, unsettled: readonly UnsettledMarks[]): M {
  if (unsettled.length === 0) return message;
  if ('group_id' in message) return shownInGroup(message, unsettled) as M;
  return shownInPair(message as PairMessageDocument, unsettled) as M;
}

function shownInPair(message: PairMessageDocument, unsettled: readonly UnsettledMarks[]): PairMessageDocument {
  const { seq, sender_id, recipient_id, status } = message;
  const marks = unsettled.find(({ user_id }) => user_id.equals(recipient_id));
  if (!marks || status === 'read') return message;
  if (isShownRead(marks.shown_reads ?? [], seq, sender_id)) return { ...message, status: 'read' };
  return seq <= marks.delivered_seq ? { ...message, status: 'delivered' } : message;
}

function shownInGroup(message: GroupMessageDocument, unsettled: readonly UnsettledMarks[]): GroupMessageDocument {
  const { seq, sender_id, read_by } = message;
  const readers = unsettled.filter(
    ({ user_id, shown_reads = [] }) => !user_id.equals(sender_id) && isShownRead(shown_reads, seq, sender_id),
  );
  if (readers.length === 0) return message;
  const known = new Set(read_by.map((userId) => userId.toHexString()));
  const added = readers.flatMap(({ user_id }) => (known.has(user_id.toHexString()) ? [] : [user_id]));
  return { ...message, read_by: [...read_by, ...added] };
}
