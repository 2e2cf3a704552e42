/** What a message is made of before it has a position, and what is checked on the way. */
import type { ObjectId } from 'mongodb';
import type { CommandPayload } from '../../shared/contract/index.ts';
import { type Access, refuseUnpermitted, refuseUnreachable } from '../conversations/access.ts';
import type { Audience } from '../conversations/audience.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { isVisible } from '../conversations/visibility.ts';
import type { Caller } from '../dispatch/caller.ts';
import { invalid, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { GroupMessageDocument, MessageDocument, PairMessageDocument } from '../model/documents/messages.ts';
import { storedMetadata } from '../model/metadata.ts';
import { type Body, forwardedBody } from './forward.ts';
import { checkMentions, storedMentions } from './mentions.ts';
import type { Reach } from './reach.ts';
import { followedInSlowMode } from './slow-mode.ts';
import { termsOf } from './terms.ts';
import { checkRoot } from './threads/replies.ts';

type SendPayload = CommandPayload<'message:send'>;

/** What a message gets only when it is stored. */
type Positioned = 'seq' | 'rev' | 'created_at' | 'updated_at';

/** A message that has no position in its conversation yet. */
export type Draft = Omit<PairMessageDocument, Positioned> | Omit<GroupMessageDocument, Positioned>;

/** What messages need of uploads. */
export interface Attachments {
  /**
   * Claims an upload for a message.
   * @throws ContractError `not_found` for an unknown upload or another's, `validation_failed` for one of the wrong kind
   */
  check(userId: string, type: MessageDocument['message_type'], mediaId: ObjectId): Promise<void>;
  /** Tells the upload of the message that carries it. */
  sent(message: MessageDocument): Promise<void>;
}

/**
 * Rules on type, text, attachment and thread that the payload's schema does not express. What is forwarded meets them.
 * @throws ContractError `validation_failed`
 */
export function checkShape(payload: SendPayload): void {
  const { content, message_type = 'text', attachment, forward_of, thread_id, in_conversation } = payload;
  if (forward_of !== undefined) return;
  if (in_conversation && thread_id === undefined) throw invalid('thread_id', 'is needed with in_conversation');
  if (message_type === 'text') {
    if (attachment) throw invalid('attachment', 'does not belong to a text');
    if (content === '') throw invalid('content', 'must NOT be empty');
  } else if (!attachment) {
    throw invalid('attachment', `is needed for ${message_type}`);
  }
}

/** What drafts are checked by. */
export interface DraftOptions {
  store: Pick<MessageStore, 'of' | 'newId' | 'lastSent'>;
  attachments: Pick<Attachments, 'check'>;
  reach: Reach;
  audience: Pick<Audience, 'membersOf'>;
  clock(): Date;
}

/**
 * Checks everything that must hold before a message may be stored, and drafts it.
 * @throws ContractError `forbidden` under a block, or without the right to send; `rate_limited` in slow mode; `not_found`
 *   for a deactivated recipient, or a reply to a message that the sender cannot see in this conversation; as `checkRoot`,
 *   `Attachments.check` and `checkMentions` do
 */
export async function prepareDraft(
  { store, attachments, reach, audience, clock }: DraftOptions,
  caller: Caller,
  payload: SendPayload,
  access: Access,
): Promise<Draft> {
  refuseUnreachable(access);
  refuseUnpermitted(access, 'send');
  const follows_seq = await followedInSlowMode(store, access, caller.userId, clock);
  const { message_type = 'text', attachment, reply_to, forward_of, thread_id } = payload;
  const { conversation, fromSeq } = access;
  const messages = store.of(conversation.kind);
  const read = (id: string) => messages.findOne({ _id: fromId(id), conversation_id: conversation.id });
  const [body, replied, root] = await Promise.all([
    forward_of === undefined ? bodyOf(payload) : forwardedBody(reach, caller, forward_of),
    reply_to === undefined ? undefined : read(reply_to),
    thread_id === undefined ? undefined : read(thread_id),
    payload.mentions ? checkMentions(audience, caller.id, access, payload.mentions) : undefined,
    attachment ? attachments.check(caller.id, message_type, fromId(attachment.media_id)) : undefined,
  ]);
  if (reply_to !== undefined && !(replied && isVisible(replied, fromSeq))) {
    throw notFound('no such message to reply to');
  }
  if (root !== undefined) checkRoot(root, replied ?? undefined, fromSeq);
  const draft = draftOf(store.newId(conversation.id), caller.userId, conversation.id, payload, body);
  return follows_seq === undefined ? draft : { ...draft, follows_seq };
}

function bodyOf({ content = '', message_type = 'text', attachment, metadata }: SendPayload): Body {
  const stored = storedMetadata(metadata);
  return {
    content,
    message_type,
    attachment: attachment ? { media_id: fromId(attachment.media_id) } : null,
    ...(stored === undefined ? {} : { metadata: stored }),
  };
}

/** The draft of a message whose payload has been checked. */
export function draftOf(
  _id: ObjectId,
  sender_id: ObjectId,
  conversation_id: string,
  payload: SendPayload,
  body: Body = bodyOf(payload),
): Draft {
  const { reply_to, client_message_id, thread_id, in_conversation } = payload;
  const base = {
    _id,
    conversation_id,
    sender_id,
    ...body,
    ...storedMentions(payload.mentions),
    ...(thread_id === undefined ? {} : { thread_id: fromId(thread_id) }),
    ...(thread_id === undefined || in_conversation ? {} : { aside: true as const }),
    ...(in_conversation ? { in_conversation } : {}),
    is_deleted: false,
    terms: termsOf(body.content),
    ...(client_message_id === undefined ? {} : { client_message_id }),
    ...(reply_to === undefined ? {} : { reply_to: fromId(reply_to) }),
  };
  return payload.recipient_id === undefined
    ? { ...base, group_id: fromId(payload.group_id!), read_by: [] }
    : { ...base, recipient_id: fromId(payload.recipient_id), status: 'sent' };
}
