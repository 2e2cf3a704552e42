/** `message:delete` (PROTOCOL section 4). */
import type { Handler } from '../dispatch/handlers.ts';
import { forbidden } from '../lib/errors.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import type { ChangeMessage } from './change-message.ts';
import type { CountedReactions } from './counted-reactions.ts';
import type { Revisions } from './revisions.ts';

/** @returns throws ContractError `forbidden` to others than the sender and a group's admins; as `ChangeMessage` */
export function createDelete(
  changeMessage: ChangeMessage,
  counted: Pick<CountedReactions, 'forget'>,
  revisions: Pick<Revisions, 'forget'>,
): Handler<'message:delete'> {
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
    await Promise.all([
      before?.reactions?.some(({ count }) => count !== undefined) && counted.forget(message_id),
      before?.text_ids && revisions.forget(message_id),
    ]);
    return answer;
  };
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
    ...rest
  } = message;
  return { ...rest, is_deleted: true, content: '', attachment: null };
}
