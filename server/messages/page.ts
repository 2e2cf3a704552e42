/** Pages of whole messages. */
import type { Message } from '../../shared/contract/documents.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { toWireMessage } from '../model/views/message.ts';

/** What the messages of one answer may take, in bytes of JSON: a client may be on a thin line. */
export const MAX_ANSWER_BYTES = 512 * 1024;

/**
 * As many of the messages, from the first on, as one answer has room for; at least one.
 * @param found as they are shown; one more than `limit` where there are more
 */
export function toPage(found: readonly MessageDocument[], limit: number): { messages: Message[]; has_more: boolean } {
  const messages: Message[] = [];
  let bytes = 0;
  for (const document of found.slice(0, limit)) {
    const message = toWireMessage(document);
    bytes += Buffer.byteLength(JSON.stringify(message));
    if (messages.length > 0 && bytes > MAX_ANSWER_BYTES) break;
    messages.push(message);
  }
  return { messages, has_more: found.length > messages.length };
}
