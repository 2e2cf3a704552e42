/** `message:send` (PROTOCOL section 4). */
import type { CommandData, CommandPayload } from '../../shared/contract/index.ts';
import type { Access } from '../conversations/access.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { Audience } from '../conversations/audience.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { ContractError } from '../lib/errors.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { toWireMessage } from '../model/views/message.ts';
import { type Attachments, checkShape, type Draft, prepareDraft } from './drafts.ts';
import type { Reach } from './reach.ts';
import { Overtaken, tooSoon } from './slow-mode.ts';
import type { Following } from './threads/following.ts';
import type { Writer } from './writer.ts';

export interface SendOptions {
  store: Pick<MessageStore, 'of' | 'sent' | 'show' | 'newId' | 'lastSent'>;
  access: Pick<AccessRules, 'enter'>;
  writer: Pick<Writer, 'send'>;
  attachments: Attachments;
  reach: Reach;
  audience: Pick<Audience, 'membersOf'>;
  /** A reply in a thread is stored. */
  onReply: Following['replied'];
  /** A user's message is stored: the user no longer types it. */
  onSent(userId: string, conversationId: string): void;
  clock(): Date;
}

type Prepared = { access: Access; draft: Draft } | { access: Access; refusal: unknown };

/**
 * @returns a handler that throws ContractError `validation_failed`, `not_found`, `forbidden` or `rate_limited` for
 *   what may not be sent (`drafts.ts`), unless it repeats a message that is stored
 */
export function createSend(options: SendOptions): Handler<'message:send'> {
  const { store, access, writer, attachments, onReply, onSent, clock } = options;

  async function prepare(caller: Caller, payload: CommandPayload<'message:send'>): Promise<Prepared> {
    const entered = await access.enter(caller.id, payload);
    return prepareDraft(options, caller, payload, entered).then(
      (draft) => ({ access: entered, draft }),
      (refusal: unknown) => ({ access: entered, refusal }),
    );
  }

  /** Answers a repeat with the message that is stored, even where a new one would be refused by now. */
  async function firstOrRefuse(
    caller: Caller,
    { client_message_id }: CommandPayload<'message:send'>,
    { conversation }: Access,
    refusal: unknown,
  ): Promise<CommandData<'message:send'>> {
    if (client_message_id === undefined || !(refusal instanceof ContractError)) throw refusal;
    const first = await store.sent(conversation, caller.userId, client_message_id);
    if (!first) throw refusal;
    return repeated(caller, first);
  }

  /** Does again what the first one may have left undone, if its node died. */
  async function repeated(caller: Caller, message: MessageDocument): Promise<CommandData<'message:send'>> {
    if (message.thread_id) await onReply(caller, message);
    const [shown] = await store.show([message]);
    return { message: toWireMessage(shown!), duplicate: true };
  }

  return async (caller, payload, dueAt) => {
    checkShape(payload);
    return caller.inTurn(prepare(caller, payload), async (prepared) => {
      if ('refusal' in prepared) return firstOrRefuse(caller, payload, prepared.access, prepared.refusal);
      const { conversation } = prepared.access;
      const sent = await writer.send(conversation, prepared.draft, caller.socketId, dueAt).catch((error: unknown) => {
        if (error instanceof Overtaken) return tooSoon(error.last, prepared.access, clock());
        throw error;
      });
      if (sent instanceof ContractError) return firstOrRefuse(caller, payload, prepared.access, sent);
      const { message, duplicate } = sent;
      if (duplicate) return repeated(caller, message);
      onSent(caller.id, conversation.id);
      if (message.attachment) await attachments.sent(message);
      if (message.thread_id) await onReply(caller, message);
      return { message: toWireMessage(message) };
    });
  };
}
