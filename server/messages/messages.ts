/** Sending, editing, deleting and reacting (PROTOCOL section 4). */
import { ObjectId, type UpdateFilter } from 'mongodb';
import type { Message } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { MessageDocument, Reaction } from '../model/documents/messages.ts';
import { fromId } from '../model/codec.ts';
import { ContractError, conflict, forbidden, invalid, notFound } from '../lib/errors.ts';
import type { Caller } from '../dispatch/caller.ts';
import { type Access, refuseBlocked } from '../conversations/access.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { toWireMessage } from '../model/views/message.ts';
import { termsOf } from './terms.ts';
import type { Decide, Draft, Writer } from './writer.ts';
import type { AccessRules } from '../conversations/access-rules.ts';

/** Distinct emojis on one message: enough for people, and a document stays a document. */
const MAX_EMOJIS = 128;

/** What messages need to know of uploads. */
export interface Attachments {
  /**
   * @throws ContractError `not_found` for another's or an unknown upload, `validation_failed` for one of the wrong kind
   */
  check(userId: string, type: MessageDocument['message_type'], mediaId: ObjectId): Promise<void>;
  /** The message was stored: the upload learns which one it was sent in. */
  sent(message: MessageDocument): Promise<void>;
}

export interface MessagesOptions {
  store: MessageStore;
  writer: Writer;
  access: AccessRules;
  attachments: Attachments;
  /** A message was sent: whoever typed it has stopped. */
  onSent(message: MessageDocument): void;
  clock(): Date;
}

type Answer = Promise<{ message: Message }>;

export interface Messages {
  send(caller: Caller, payload: CommandPayload<'message:send'>): Promise<{ message: Message; duplicate?: true }>;
  edit(caller: Caller, payload: CommandPayload<'message:edit'>): Answer;
  remove(caller: Caller, payload: CommandPayload<'message:delete'>): Answer;
  react(caller: Caller, payload: CommandPayload<'message:react'>): Answer;
}

export function createMessages({ store, writer, access, attachments, onSent, clock }: MessagesOptions): Messages {
  function checkShape({ content, message_type = 'text', attachment }: CommandPayload<'message:send'>): void {
    if (message_type === 'text') {
      if (attachment) throw invalid('attachment', 'does not belong to a text');
      if (content === '') throw invalid('content', 'must NOT be empty');
    } else if (!attachment) {
      throw invalid('attachment', `is needed for ${message_type}`);
    }
  }

  /** Everything that must be right before a message may be written; gives its draft. */
  async function prepareSend(caller: Caller, payload: CommandPayload<'message:send'>, entered: Access): Promise<Draft> {
    refuseBlocked(entered);
    if (!entered.peerActive) throw notFound('no such user');
    const { message_type = 'text', attachment, reply_to, client_message_id, content } = payload;
    const mediaId = attachment ? fromId(attachment.media_id) : undefined;
    const [replied] = await Promise.all([
      reply_to === undefined ? undefined : store.of(entered.conversation.kind).findOne({ _id: fromId(reply_to) }),
      mediaId && attachments.check(caller.id, message_type, mediaId),
    ]);
    if (reply_to !== undefined) {
      const visible = replied?.conversation_id === entered.conversation.id && replied.seq > entered.fromSeq;
      if (!visible) throw notFound('no such message to reply to');
    }
    const base = {
      _id: new ObjectId(),
      conversation_id: entered.conversation.id,
      sender_id: caller.userId,
      content,
      message_type,
      attachment: mediaId ? { media_id: mediaId } : null,
      is_deleted: false,
      terms: termsOf(content),
      ...(client_message_id === undefined ? {} : { client_message_id }),
      ...(reply_to === undefined ? {} : { reply_to: fromId(reply_to) }),
    };
    return payload.recipient_id === undefined
      ? { ...base, group_id: fromId(payload.group_id!), read_by: [] }
      : { ...base, recipient_id: fromId(payload.recipient_id), status: 'sent' };
  }

  /** A repeat of what was stored is answered with it even where a new message would be refused by now. */
  async function orFirst(caller: Caller, payload: CommandPayload<'message:send'>, entered: Access, refusal: unknown) {
    if (payload.client_message_id === undefined || !(refusal instanceof ContractError)) throw refusal;
    const first = await store.sent(entered.conversation, caller.userId, payload.client_message_id);
    if (!first) throw refusal;
    return { message: toWireMessage(first), duplicate: true as const };
  }

  /** The message and the caller's way to it; `not_found` where the caller cannot see it. */
  async function reach(caller: Caller, messageId: string): Promise<{ message: MessageDocument; entered: Access }> {
    const message = await store.find(fromId(messageId));
    const entered = message && (await access.enterByMessage(caller.id, message));
    if (!message || !entered) throw notFound('no such message');
    return { message, entered };
  }

  async function amend(caller: Caller, messageId: string, decide: (entered: Access) => Decide): Answer {
    const amended = await caller.inTurn(reach(caller, messageId), ({ message, entered }) =>
      writer.amend(entered.conversation, message, decide(entered), caller.socketId),
    );
    return { message: toWireMessage(amended) };
  }

  const mine = (caller: Caller, message: MessageDocument) => message.sender_id.equals(caller.userId);

  return {
    async send(caller, payload) {
      checkShape(payload);
      const entering = access.enter(caller.id, payload);
      const drafting = entering.then((entered) =>
        prepareSend(caller, payload, entered).then(
          (draft) => ({ entered, draft }),
          (refusal: unknown) => ({ entered, refusal }),
        ),
      );
      return caller.inTurn(drafting, async (prepared) => {
        if (!('draft' in prepared)) return orFirst(caller, payload, prepared.entered, prepared.refusal);
        const { message, duplicate } = await writer.send(
          prepared.entered.conversation,
          prepared.draft,
          caller.socketId,
        );
        if (!duplicate) {
          onSent(message);
          if (message.attachment) await attachments.sent(message);
        }
        return { message: toWireMessage(message), ...(duplicate ? { duplicate } : {}) };
      });
    },

    edit: (caller, { message_id, content }) =>
      amend(caller, message_id, (entered) => (message) => {
        refuseBlocked(entered);
        if (!mine(caller, message)) throw forbidden('only the sender edits a message');
        if (message.is_deleted) throw conflict('the message was deleted');
        if (content === '' && !message.attachment) throw invalid('content', 'must NOT be empty');
        if (content === message.content) return undefined;
        return { $set: { content, terms: termsOf(content), edited_at: clock() } };
      }),

    remove: (caller, { message_id }) =>
      amend(caller, message_id, (entered) => (message) => {
        refuseBlocked(entered);
        if (!mine(caller, message) && !entered.isAdmin) throw forbidden('only the sender deletes a message');
        if (message.is_deleted) return undefined;
        return { $set: { is_deleted: true, content: '', attachment: null }, $unset: { reactions: true, terms: true } };
      }),

    react: (caller, { message_id, emoji, remove = false }) =>
      amend(caller, message_id, (entered) => (message) => {
        refuseBlocked(entered);
        if (message.is_deleted) throw conflict('the message was deleted');
        return reactionUpdate(message.reactions ?? [], emoji, caller.userId, remove);
      }),
  };
}

/**
 * What a reaction changes: undefined when it is there already, or is not there to be removed.
 * @throws ContractError `conflict` above the number of different emojis that a message can carry
 */
export function reactionUpdate(
  reactions: Reaction[],
  emoji: string,
  userId: ObjectId,
  remove: boolean,
): UpdateFilter<MessageDocument> | undefined {
  const existing = reactions.find((reaction) => reaction.emoji === emoji);
  const has = existing?.user_ids.some((id) => id.equals(userId)) ?? false;
  if (has !== remove) return undefined;
  if (!remove && !existing) {
    if (reactions.length === MAX_EMOJIS) throw conflict(`a message carries at most ${MAX_EMOJIS} different reactions`);
    return { $set: { reactions: [...reactions, { emoji, user_ids: [userId] }] } };
  }
  const changed = reactions
    .map((reaction) => {
      if (reaction !== existing) return reaction;
      const others = reaction.user_ids.filter((id) => !id.equals(userId));
      return { emoji, user_ids: remove ? others : [...others, userId] };
    })
    .filter((reaction) => reaction.user_ids.length > 0);
  return { $set: { reactions: changed } };
}
