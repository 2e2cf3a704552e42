/** Forwarding (PROTOCOL section 16): a new message says what another one says, and nothing of where that one was. */
import type { Caller } from '../dispatch/caller.ts';
import { notFound } from '../lib/errors.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import type { Reach } from './reach.ts';

/** What a message says, no matter who sends it, and where. */
export type Body = Pick<MessageDocument, 'content' | 'message_type' | 'attachment' | 'metadata' | 'forwarded'>;

/** @throws ContractError `not_found` for a message that the caller cannot see, or that is deleted */
export async function forwardedBody(reach: Reach, caller: Pick<Caller, 'id'>, messageId: string): Promise<Body> {
  const { message } = await reach(caller, messageId);
  if (message.is_deleted) throw notFound('no such message');
  const { content, message_type, attachment, metadata, forwarded } = message;
  return {
    content,
    message_type,
    attachment,
    ...(metadata === undefined ? {} : { metadata }),
    forwarded: { count: (forwarded?.count ?? 0) + 1 },
  };
}
