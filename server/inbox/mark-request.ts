/** What is known before a user's mark in a conversation is raised. */
import type { ObjectId } from 'mongodb';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Caller } from '../dispatch/caller.ts';
import { invalid, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { type ConversationRef, groupRef, pairRef } from '../model/conversation-ref.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';

export interface MarkRequest {
  caller: Caller;
  conversation: ConversationRef;
  /** The other user of a pair; undefined in a group. */
  peerId: ObjectId | undefined;
  /** In a pair: one of the two blocks the other, so nothing may pass. */
  isBlocked: boolean;
  /** The caller's marks before the command. */
  marks: MembershipDocument;
  /** Messages up to this `seq` are not visible to the caller. */
  fromSeq: number;
  /** The `seq` that the mark is to reach. */
  upTo: number;
}

export interface MarkRequestSources {
  collections: Pick<Collections, 'memberships'>;
  store: MessageStore;
  access: AccessRules;
}

/**
 * Looks up everything that raising a mark depends on.
 * @throws ContractError `not_found` if the caller has no access or nothing was ever written, `validation_failed`
 *   beyond the last message
 */
export async function readMarkRequest(
  { collections, store, access }: MarkRequestSources,
  caller: Caller,
  payload: CommandPayload<'message:read'>,
): Promise<MarkRequest> {
  const { recipient_id, group_id, up_to_seq: upTo } = payload;
  const conversation = recipient_id === undefined ? groupRef(group_id!) : pairRef(caller.id, recipient_id);
  const [{ fromSeq, blocked }, lastSeq, marks] = await Promise.all([
    access.enter(caller.id, payload),
    store.highest('seq', conversation),
    collections.memberships.findOne({ user_id: caller.userId, conversation_id: conversation.id }),
  ]);
  if (lastSeq === 0 || !marks) throw notFound('nothing was written in this conversation yet');
  if (upTo > lastSeq) throw invalid('up_to_seq', 'is beyond the last message');
  const peerId = recipient_id === undefined ? undefined : fromId(recipient_id);
  return { caller, conversation, peerId, isBlocked: blocked, marks, fromSeq, upTo };
}
