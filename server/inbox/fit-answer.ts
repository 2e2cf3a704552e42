/** Bounds one answer of `sync`, by messages and by bytes. */
import type { MessageDocument } from '../model/documents/messages.ts';
import { MAX_ANSWER_BYTES } from './answer-size.ts';

export interface Missed {
  /** By conversation id, ascending by `rev`. */
  messages: Map<string, MessageDocument[]>;
  /** The ids of conversations in which there are, or may be, more. */
  incomplete: Set<string>;
}

/** A message with its size in an answer, in bytes. */
export interface Sized {
  message: MessageDocument;
  bytes: number;
}

/** What an answer is to tell of a conversation. */
export interface Wanted {
  id: string;
  /** The newest messages are all that is asked for: the conversation is complete with as many as there is room for. */
  newest?: unknown;
}

/**
 * Keeps what one answer has room for: whole conversations in the order given, the last one perhaps cut. Newest messages
 * are not cut, but wait for the next answer, unless they alone are too large: then the newest of them are kept.
 * @param found the messages of each conversation, in any order; newest messages in descending order
 * @param wanted the conversations in the order in which they are to be filled
 * @param limit how many messages the answer may have
 */
export function fitAnswer(found: Map<string, Sized[]>, wanted: readonly Wanted[], limit: number): Missed {
  const missed: Missed = { messages: new Map(), incomplete: new Set() };
  let count = 0;
  let bytes = 0;
  let isFull = false;

  /** Takes messages until the answer is full. */
  function take(messages: Sized[]): MessageDocument[] {
    const kept: MessageDocument[] = [];
    for (const { message, bytes: size } of messages) {
      isFull ||= count === limit || (bytes > MAX_ANSWER_BYTES && count > 0);
      if (isFull) break;
      kept.push(message);
      count++;
      bytes += size;
    }
    return kept;
  }

  function takeNewest(messages: Sized[]): MessageDocument[] {
    const size = messages.reduce((sum, one) => sum + one.bytes, 0);
    const fits = count + messages.length <= limit && bytes + size <= MAX_ANSWER_BYTES;
    if (messages.length > 0 && count > 0 && !fits) isFull = true;
    return take(messages).sort(byRev);
  }

  for (const { id, newest } of wanted) {
    const messages = isFull ? [] : (found.get(id) ?? []);
    const kept = newest ? takeNewest(messages) : take(ascending(messages));
    if (kept.length > 0) missed.messages.set(id, kept);
    if (isFull && !(newest && kept.length > 0)) missed.incomplete.add(id);
  }
  return missed;
}

/** By `rev`. A message that changed during the query may have been found at both revs: the newer one counts. */
function ascending(messages: Sized[]): Sized[] {
  const byId = new Map(messages.map((one) => [one.message._id.toHexString(), one]));
  return [...byId.values()].sort((one, other) => byRev(one.message, other.message));
}

function byRev(one: MessageDocument, other: MessageDocument): number {
  return one.rev - other.rev;
}
