/** A user's access to a conversation, and what it forbids. */
import { GROUP_ACTIONS, type GroupAction } from '../../shared/contract/documents.ts';
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
  /** What the user may do by the group's permissions; in a pair all of it. */
  permits: Permits;
  /** How long the user waits after the last own message, in seconds; 0 in a pair and for admins. */
  slowModeS: number;
}

export type Permits = Readonly<Record<GroupAction, boolean>>;

/** @param permits whether a user may do something */
export function permitsBy(permits: (action: GroupAction) => boolean): Permits {
  return Object.fromEntries(GROUP_ACTIONS.map((action) => [action, permits(action)])) as Permits;
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

/** @throws ContractError `forbidden` if the group leaves it to its admins, and the user is not one */
export function refuseUnpermitted(access: Access, action: GroupAction): void {
  if (!access.permits[action]) throw forbidden('only admins of the group may do this');
}
