/** `message:edit` (PROTOCOL section 4). */
import { ObjectId } from 'mongodb';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Audience } from '../conversations/audience.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { ContractError, conflict, forbidden, invalid } from '../lib/errors.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { storedMetadata } from '../model/metadata.ts';
import type { ChangeMessage } from './change-message.ts';
import { checkMentions, mentionSame, storedMentions } from './mentions.ts';
import { type Revisions, textIdsWith } from './revisions.ts';
import { termsOf } from './terms.ts';
import type { Following } from './threads/following.ts';

/**
 * @param onNamed told whom an edit of a reply in a thread newly names
 * @param revisions where the text that was kept for an edit is forgotten when the message turns out to be deleted
 * @returns a handler that throws ContractError `forbidden` to anyone but the sender, `conflict` on a deleted message,
 *   `validation_failed` for no text at all; as `checkMentions` and `ChangeMessage` do
 */
export function createEdit(
  changeMessage: ChangeMessage,
  revisions: Pick<Revisions, 'forget'>,
  audience: Pick<Audience, 'membersOf'>,
  onNamed: Following['named'],
): Handler<'message:edit'> {
  return async (caller, payload, dueAt) => {
    let before: MessageDocument | undefined;
    let after: MessageDocument | undefined;
    try {
      const answer = await changeMessage(caller, payload.message_id, dueAt, {
        async prepare(_message, entered) {
          if (payload.mentions) await checkMentions(audience, caller.id, entered, payload.mentions);
        },
        decide(message, { at, rev }) {
          before = message;
          const changed = edited(caller, message, payload, at);
          after = changed && { ...changed, rev };
          return changed;
        },
      });
      if (before && after?.thread_id && payload.mentions) await onNamed(caller, after, newlyNamed(before, after));
      return answer;
    } catch (error) {
      const isDeleted = error instanceof ContractError && error.code === 'conflict';
      if (isDeleted) await revisions.forget(payload.message_id);
      throw error;
    }
  };
}

function newlyNamed({ mentions }: MessageDocument, after: MessageDocument): ObjectId[] {
  const ids = after.mentions?.user_ids ?? [];
  return ids.filter((id) => !mentions?.user_ids?.some((one) => one.equals(id)));
}

function edited(
  caller: Caller,
  message: MessageDocument,
  { content, metadata: wanted, mentions }: CommandPayload<'message:edit'>,
  at: Date,
): MessageDocument | undefined {
  if (!message.sender_id.equals(caller.userId)) throw forbidden('only the sender edits a message');
  if (message.is_deleted) throw conflict('the message was deleted');
  if (content === '' && !message.attachment) throw invalid('content', 'must NOT be empty');
  const metadata = wanted === undefined ? message.metadata : storedMetadata(wanted);
  const mentioning = mentions === undefined ? message : storedMentions(mentions);
  const saysSame = content === message.content && metadata === message.metadata;
  if (saysSame && mentionSame(mentioning, message)) return undefined;
  const { metadata: _replaced, mentions: _before, mentioned: _keys, ...rest } = message;
  return {
    ...rest,
    ...(content === message.content ? {} : { content, terms: termsOf(content) }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(mentioning.mentions ? { mentions: mentioning.mentions, mentioned: mentioning.mentioned! } : {}),
    edited_at: at,
    text_ids: textIdsWith(message, new ObjectId()),
  };
}
