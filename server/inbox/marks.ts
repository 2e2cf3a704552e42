/** Raises a user's marks in a conversation. Marks only grow. */
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';
import type { MarkRequest } from './mark-request.ts';

export type MarkField = 'delivered_seq' | 'read_seq' | 'shown_read_seq';

/** A user's marks before and after they grew. */
export interface MarkChange {
  before: MembershipDocument;
  after: MembershipDocument;
}

/**
 * Raises marks to the request's `seq` by one conditional update, if `delivered_seq` or `read_seq` is among them and
 * below it.
 * @returns undefined if nothing grew
 */
export async function raiseMarks(
  memberships: Collections['memberships'],
  { caller, conversation, upTo }: MarkRequest,
  fields: MarkField[],
  at: Date,
): Promise<MarkChange | undefined> {
  const own = fields.filter((field) => field !== 'shown_read_seq');
  // A reading that nobody else may learn of must not show in their `sync` either.
  const isSeenByOthers = fields.some((field) => field !== 'read_seq');
  const before = await memberships.findOneAndUpdate(
    {
      user_id: caller.userId,
      conversation_id: conversation.id,
      $or: own.map((field) => ({ [field]: { $lt: upTo } })),
    },
    {
      $max: Object.fromEntries(fields.map((field) => [field, upTo])),
      $set: { changed_at: at, ...(isSeenByOthers ? { marks_at: at } : {}) },
      $inc: { version: 1 },
    },
    { returnDocument: 'before' },
  );
  if (!before) return undefined;
  const after = { ...before };
  for (const field of fields) after[field] = Math.max(before[field], upTo);
  return { before, after };
}
