/** Reads a page of messages, bounded by number and by bytes. */
import type { FindCursor } from 'mongodb';
import type { MessageDocument } from '../model/documents/messages.ts';

/** A page ends early once its texts come to more, in bytes: no single answer holds up what others do. */
const MAX_PAGE_BYTES = 512 * 1024;
/** Messages in one reply of the store: a page of the usual size takes one round trip, and one of long texts stops early. */
const BATCH = 64;

export interface MessagePage {
  page: MessageDocument[];
  /** Whether there are messages behind it. */
  hasMore: boolean;
}

/**
 * @param found in the order of the page; this sets its limit
 * @param limit how many messages the page may have
 */
export async function readPage(found: FindCursor<MessageDocument>, limit: number): Promise<MessagePage> {
  const page: MessageDocument[] = [];
  let bytes = 0;
  for await (const message of found.limit(limit + 1).batchSize(BATCH)) {
    if (page.length === limit || bytes > MAX_PAGE_BYTES) return { page, hasMore: true };
    page.push(message);
    bytes += Buffer.byteLength(message.content);
  }
  return { page, hasMore: false };
}
