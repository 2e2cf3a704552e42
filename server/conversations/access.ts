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

/** @throws ContractError `forbidden` where a block stands between the two */
export function refuseBlocked(access: Access): void {
  if (access.blocked) throw forbidden('nothing passes between the two of you');
}
