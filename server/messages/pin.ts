/** `message:pin` and `message:pinned` (PROTOCOL section 16, "Pins"). */
import type { ObjectId } from 'mongodb';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { visibleSeqs } from '../conversations/visibility.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { conflict, notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import type { Moment } from './amendment.ts';
import type { ChangeMessage } from './change-message.ts';
import { DEFAULT_LIMIT, toPage } from './page.ts';

/** How many messages of a conversation are pinned at most. */
export const MOST_PINNED = 100;

/**
 * @returns a handler that throws ContractError `forbidden` where the caller may not pin, `conflict` on a deleted
 *   message and beyond `MOST_PINNED`; as `ChangeMessage`
 */
export function createPin(changeMessage: ChangeMessage): Handler<'message:pin'> {
  return (caller, { message_id, pinned: isWanted }, dueAt) =>
    changeMessage(caller, message_id, dueAt, {
      action: 'pin',
      countsPins: isWanted,
      decide: (message, moment) => withPin(message, caller.userId, isWanted, moment),
    });
}

/**
 * A message with a pin, or without; undefined where it already is so.
 * @throws ContractError `conflict` on a deleted message, and beyond `MOST_PINNED`
 */
export function withPin(
  message: MessageDocument,
  by: ObjectId,
  isWanted: boolean,
  { at, rev, pinned }: Moment,
): MessageDocument | undefined {
  if (isWanted && message.is_deleted) throw conflict('the message was deleted');
  if (isWanted === (message.pinned !== undefined)) return undefined;
  const { pinned: _pin, ...rest } = message;
  if (!isWanted) return rest;
  if (pinned >= MOST_PINNED) throw conflict(`at most ${MOST_PINNED} messages of a conversation are pinned`);
  return { ...rest, pinned: { by, at, rev } };
}

/**
 * @returns a handler that throws ContractError as `AccessRules.enter` does, `not_found` for a `before_id` that is not
 *   a pinned message of the conversation which the caller sees
 */
export function createPinned(
  store: Pick<MessageStore, 'of' | 'show'>,
  access: Pick<AccessRules, 'enter'>,
): Handler<'message:pinned'> {
  return async (caller, payload) => {
    const { before_id, limit = DEFAULT_LIMIT } = payload;
    const { conversation, fromSeq } = await access.enter(caller.id, payload);
    const messages = store.of(conversation.kind);
    const visible = { conversation_id: conversation.id, seq: visibleSeqs(fromSeq) };
    const before = before_id === undefined ? undefined : await messages.findOne({ _id: fromId(before_id), ...visible });
    if (before_id !== undefined && !before?.pinned) throw notFound('no such pinned message');
    const found = await messages
      .find(
        { ...visible, 'pinned.rev': before ? { $gt: 0, $lt: before.pinned!.rev } : { $gt: 0 } },
        { projection: { terms: 0 }, hint: 'pinned' },
      )
      .sort({ 'pinned.rev': -1 })
      .limit(limit + 1)
      .toArray();
    return toPage(await store.show(found), limit);
  };
}
