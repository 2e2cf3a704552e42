/** What a user may do in a conversation, as it was found. */
import { forbidden } from '../lib/errors.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

/** A user's way into a conversation. */
export interface Access {
  conversation: ConversationRef;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
  /** In a pair: whether one of the two blocks the other. */
  blocked: boolean;
  /** In a pair: whether the other one's account is active. */
  peerActive: boolean;
  /** In a group: whether the user is an admin. */
  isAdmin: boolean;
}

/** The refusal of what a block between two users forbids; it does not tell which of them blocks the other. */
export const refusedByBlock = () => forbidden('nothing may pass between you and this user');

/** @throws ContractError `forbidden` if a block stands between the two */
export function refuseBlocked(access: Access): void {
  if (access.blocked) throw refusedByBlock();
}
