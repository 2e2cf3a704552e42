/** What a user may see of a conversation: everything that asks goes by this file. */
import type { MembershipDocument } from '../model/documents/conversations.ts';

/** Above every `seq`. */
const NOTHING = Number.MAX_SAFE_INTEGER;

export interface Visibility {
  /** Whether new members see a group's history from before their joining (`GROUP_HISTORY=all`). */
  readonly wholeHistory: boolean;
  /**
   * The `seq` up to which a member sees nothing; messages above it are visible.
   * @param membership undefined while a joining is not finished: nothing is visible yet
   */
  fromSeq(membership: Pick<MembershipDocument, 'from_seq'> | undefined): number;
}

/** @param wholeHistory whether new members see a group's history from before their joining */
export function createVisibility(wholeHistory: boolean): Visibility {
  return {
    wholeHistory,
    fromSeq: (membership) => (wholeHistory ? 0 : (membership?.from_seq ?? NOTHING)),
  };
}
