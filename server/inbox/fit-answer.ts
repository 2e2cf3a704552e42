/** Bounds one answer of `sync`, by messages and by bytes. */
import type { MessageDocument } from '../model/documents/messages.ts';

/** An answer ends early once its texts come to more, in bytes: a client on a thin line gets several small answers. */
const MAX_ANSWER_BYTES = 512 * 1024;

export interface Missed {
  /** By conversation id, ascending by `rev`. */
  messages: Map<string, MessageDocument[]>;
  /** The ids of conversations in which there are, or may be, more. */
  incomplete: Set<string>;
}

/**
 * Keeps what one answer has room for: whole conversations in the order given, the last one perhaps cut.
 * @param found the messages of each conversation, in any order
 * @param ids the conversations in the order in which they are to be filled
 * @param limit how many messages the answer may have
 */
export function fitAnswer(found: Map<string, MessageDocument[]>, ids: string[], limit: number): Missed {
  const missed: Missed = { messages: new Map(), incomplete: new Set() };
  let count = 0;
  let bytes = 0;
  let isFull = false;
  for (const id of ids) {
    const kept: MessageDocument[] = [];
    for (const message of ascending(found.get(id) ?? [])) {
      isFull ||= count === limit || (bytes > MAX_ANSWER_BYTES && count > 0);
      if (isFull) break;
      kept.push(message);
      count++;
      bytes += Buffer.byteLength(message.content);
    }
    if (kept.length > 0) missed.messages.set(id, kept);
    if (isFull) missed.incomplete.add(id);
  }
  return missed;
}

/** By `rev`. A message that changed during the query may have been found at both revs: the newer one counts. */
function ascending(messages: MessageDocument[]): MessageDocument[] {
  const byId = new Map(messages.map((message) => [message._id.toHexString(), message]));
  return [...byId.values()].sort((one, other) => one.rev - other.rev);
}
