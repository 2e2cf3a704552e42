/** Deletions: `message:delete` (PROTOCOL section 4), and those by the operator (section 12). */
import type { MessageStore } from '../conversations/message-store.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { forbidden, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import { refOf } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import type { ChangeMessage } from './change-message.ts';
import type { CountedReactions } from './counted-reactions.ts';
import type { Revisions } from './revisions.ts';
import type { Writer } from './writer.ts';

/** What is kept beside a message, and is removed with it. */
export interface Beside {
  counted: Pick<CountedReactions, 'forget'>;
  revisions: Pick<Revisions, 'forget'>;
}

/**
 * @returns a handler that throws ContractError `forbidden` to anyone but the sender and a group's admins; as
 *   `ChangeMessage`
 */
export function createDelete(changeMessage: ChangeMessage, beside: Beside): Handler<'message:delete'> {
  return async (caller, { message_id }, dueAt) => {
    let before: MessageDocument | undefined;
    const answer = await changeMessage(caller, message_id, dueAt, {
      decide(message, { entered }) {
        const isSender = message.sender_id.equals(caller.userId);
        if (!isSender && !entered.isAdmin) throw forbidden('only the sender or an admin deletes a message');
        if (message.is_deleted) return undefined;
        before = message;
        return tombstoneOf(message);
      },
    });
    if (before) await forgetBeside(before, beside);
    return answer;
  };
}

/**
 * Deletes a message as its sender would, no matter who blocks whom or who has left its conversation.
 * @throws ContractError `not_found` where there is no such message; as `Writer.amend`
 */
export type DeleteAsSender = (messageId: string, dueAt?: number) => Promise<void>;

export interface DeleteAsSenderOptions extends Beside {
  store: Pick<MessageStore, 'find'>;
  writer: Pick<Writer, 'amend'>;
}

export function createDeleteAsSender({ store, writer, ...beside }: DeleteAsSenderOptions): DeleteAsSender {
  return async (messageId, dueAt) => {
    const message = await store.find(fromId(messageId));
    if (!message) throw notFound('no such message');
    let before: MessageDocument | undefined;
    await writer.amend({
      conversation: refOf(message),
      message,
      decide(current) {
        if (current.is_deleted) return undefined;
        before = current;
        return tombstoneOf(current);
      },
      socket: undefined,
      dueAt,
    });
    if (before) await forgetBeside(before, beside);
  };
}

async function forgetBeside(deleted: MessageDocument, { counted, revisions }: Beside): Promise<void> {
  const messageId = deleted._id.toHexString();
  await Promise.all([
    deleted.reactions?.some(({ count }) => count !== undefined) && counted.forget(messageId),
    deleted.text_ids && revisions.forget(messageId),
  ]);
}

/** What is left of a message: its place, and who sent it when. */
function tombstoneOf(message: MessageDocument): MessageDocument {
  const {
    reactions: _reactions,
    terms: _terms,
    metadata: _metadata,
    text_ids: _texts,
    pinned: _pin,
    forwarded: _count,
    mentions: _mentions,
    mentioned: _mentioned,
    ...rest
  } = message;
  return { ...rest, is_deleted: true, content: '', attachment: null };
}
