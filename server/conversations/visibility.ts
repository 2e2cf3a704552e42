/** What a user may see of a conversation. Whoever needs to know asks here. */
import type { Filter } from 'mongodb';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';
import type { MessageDocument } from '../model/documents/messages.ts';

/** Above every `seq`: nothing is visible. */
const NOTHING = Number.MAX_SAFE_INTEGER;

export interface Visibility {
  /** Whether new members see a group's history from before they joined (`GROUP_HISTORY=all`). */
  readonly wholeHistory: boolean;
  /**
   * The `seq` after which a member sees messages.
   * @param membership undefined while a user is still joining: nothing is visible yet
   */
  fromSeq(membership: Pick<MembershipDocument, 'from_seq'> | undefined): number;
}

/** The part of a conversation that a user may see. */
export interface Scope {
  id: string;
  kind: ConversationRef['kind'];
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
}

/** @param wholeHistory whether new members see a group's history from before they joined */
export function createVisibility(wholeHistory: boolean): Visibility {
  return {
    wholeHistory,
    fromSeq: (membership) => (wholeHistory ? 0 : (membership?.from_seq ?? NOTHING)),
  };
}

/** Whether a message lies above `fromSeq`. */
export function isVisible(message: Pick<MessageDocument, 'seq'>, fromSeq: number): boolean {
  return message.seq > fromSeq;
}

/**
 * A query's bounds on `seq`: what is visible, narrowed to a page where one is asked for.
 * @param page the contract's bounds, both exclusive
 */
export function visibleSeqs(
  fromSeq: number,
  { after_seq = 0, before_seq }: { after_seq?: number; before_seq?: number } = {},
): { $gt: number; $lt?: number } {
  const $gt = Math.max(fromSeq, after_seq);
  return before_seq === undefined ? { $gt } : { $gt, $lt: before_seq };
}

/**
 * The condition by which a query over several conversations leaves out what the user may not see.
 * @returns no condition where the scopes are whole conversations, else one
 */
export function visibleWithin(scopes: readonly Scope[]): Filter<MessageDocument>[] {
  const partial = scopes.filter(({ fromSeq }) => fromSeq > 0);
  if (partial.length === 0) return [];
  return [
    {
      $or: [
        { conversation_id: { $nin: partial.map(({ id }) => id) } },
        ...partial.map(({ id, fromSeq }) => ({ conversation_id: id, seq: visibleSeqs(fromSeq) })),
      ],
    },
  ];
}
