/** A user's access to a conversation, and what it forbids. */
import { forbidden, notFound } from '../lib/errors.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';

export interface Access {
  conversation: ConversationRef;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
  /** In a pair: whether either user blocks the other. */
  blocked: boolean;
  /** In a pair: whether the other user's account is active. */
  peerActive: boolean;
  /** In a group: whether the user is an admin. */
  isAdmin: boolean;
}

/** The refusal of what a block between two users forbids; it does not tell which of them blocks the other. */
export const refusedByBlock = () => forbidden('you and this user cannot reach each other');

/** @throws ContractError `forbidden` if either user of a pair blocks the other */
export function refuseBlocked(access: Access): void {
  if (access.blocked) throw refusedByBlock();
}

/** @throws ContractError `forbidden` under a block, `not_found` if the other user of a pair is deactivated */
export function refuseUnreachable(access: Access): void {
  refuseBlocked(access);
  if (!access.peerActive) throw notFound('no such user');
}
