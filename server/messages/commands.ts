/** Commands on messages (PROTOCOL section 4). Marks (`message:delivered`, `message:read`) belong to the inbox. */
import type { Message } from '../../shared/contract/documents.ts';
import { type Access, refuseBlocked } from '../conversations/access.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Scope } from '../conversations/visibility.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { HandlersOf } from '../dispatch/handlers.ts';
import { conflict, forbidden, invalid, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { toWireMessage } from '../model/views/message.ts';
import { createHistory } from './history.ts';
import { withoutReaction, withReaction } from './reactions.ts';
import { createSearch } from './search.ts';
import { createSend, type SendOptions } from './send.ts';
import { termsOf } from './terms.ts';
import type { Writer } from './writer.ts';

export type MessageHandlers = Omit<HandlersOf<'message'>, 'message:delivered' | 'message:read'>;

export interface MessageCommandOptions extends SendOptions {
  store: MessageStore;
  access: AccessRules;
  writer: Writer;
  /** Every conversation of a user. */
  scopesOf(caller: Caller): Promise<Scope[]>;
  /** Whether messages with terms of an earlier version may be left. */
  isFoldingAnew(): boolean;
}

/** @returns handlers; those that change a message throw ContractError `not_found` where the caller cannot see it */
export function createMessageCommands(options: MessageCommandOptions): MessageHandlers {
  const { store, access, writer, scopesOf, isFoldingAnew } = options;

  /** @throws ContractError `not_found` for a message that the caller cannot see, `forbidden` under a block */
  async function reach(caller: Caller, messageId: string): Promise<{ message: MessageDocument; entered: Access }> {
    const message = await store.find(fromId(messageId));
    const entered = message && (await access.enterByMessage(caller.id, message));
    if (!message || !entered) throw notFound('no such message');
    refuseBlocked(entered);
    return { message, entered };
  }

  /** @param decide makes the message as it is to be from what it is; undefined where there is nothing to change */
  async function amend(
    caller: Caller,
    messageId: string,
    dueAt: number | undefined,
    decide: (message: MessageDocument, entered: Access, at: Date) => MessageDocument | undefined,
  ): Promise<{ message: Message }> {
    const amended = await caller.inTurn(reach(caller, messageId), ({ message, entered }) =>
      writer.amend({
        conversation: entered.conversation,
        message,
        decide: (current, at) => decide(current, entered, at),
        socket: caller.socketId,
        by: caller.id,
        dueAt,
      }),
    );
    return { message: toWireMessage(amended) };
  }

  return {
    'message:send': createSend(options),

    'message:edit': (caller, { message_id, content }, dueAt) =>
      amend(caller, message_id, dueAt, (message, _entered, at) => {
        if (!message.sender_id.equals(caller.userId)) throw forbidden('only the sender edits a message');
        if (message.is_deleted) throw conflict('the message was deleted');
        if (content === '' && !message.attachment) throw invalid('content', 'must NOT be empty');
        if (content === message.content) return undefined;
        return { ...message, content, terms: termsOf(content), edited_at: at };
      }),

    'message:delete': (caller, { message_id }, dueAt) =>
      amend(caller, message_id, dueAt, (message, { isAdmin }) => {
        const isSender = message.sender_id.equals(caller.userId);
        if (!isSender && !isAdmin) throw forbidden('only the sender or an admin deletes a message');
        if (message.is_deleted) return undefined;
        const { reactions: _reactions, terms: _terms, ...rest } = message;
        return { ...rest, is_deleted: true, content: '', attachment: null };
      }),

    'message:react': (caller, { message_id, emoji, remove = false }, dueAt) =>
      amend(caller, message_id, dueAt, (message) => {
        if (message.is_deleted) throw conflict('the message was deleted');
        const change = remove ? withoutReaction : withReaction;
        const reactions = change(message.reactions ?? [], emoji, caller.userId);
        return reactions && { ...message, reactions };
      }),

    'message:history': createHistory(store, access),
    'message:search': createSearch(store, access, scopesOf, isFoldingAnew),
  };
}
