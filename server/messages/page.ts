/** Pages of whole messages. */
import type { FindCursor } from 'mongodb';
import type { Message } from '../../shared/contract/documents.ts';
import { weightOf } from '../dispatch/answer-weight.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { toWireMessage } from '../model/views/message.ts';

/** What the messages of one answer may take, in bytes of JSON: a client may be on a thin line. */
export const MAX_ANSWER_BYTES = 512 * 1024;

/** Messages in a usual page. */
export const DEFAULT_LIMIT = 50;
/** Messages in one reply of the store: a usual page, so that a large one of long texts lets others through. */
export const ONE_REPLY = DEFAULT_LIMIT + 1;

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

/** What was read for a page: one more than `most` where there are more. `most` is the limit for `toPage`. */
export interface PageRead {
  found: MessageDocument[];
  most: number;
}

/**
 * Reads no more than `toPage` may have room for: the rest of a page of long texts stays in the store.
 * @param cursor with `ONE_REPLY` as batch size, and at most `limit + 1` messages
 * @throws MongoError when the store cannot be reached
 */
export async function readPage(cursor: FindCursor<MessageDocument>, limit: number): Promise<PageRead> {
  const found: MessageDocument[] = [];
  let weight = 0;
  for await (const document of cursor) {
    found.push(document);
    if (found.length > limit || weight > MAX_ANSWER_BYTES) return { found, most: found.length - 1 };
    weight += weightOf(toWireMessage(document));
  }
  return { found, most: found.length };
}
