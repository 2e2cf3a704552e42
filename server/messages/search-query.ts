/** What a search asks of the store, and the order of its results. */
import type { Filter, Sort } from 'mongodb';
import { type Scope, visibleWithin } from '../conversations/visibility.ts';
import type { MessageDocument } from '../model/documents/messages.ts';

/** One order over all conversations. Within one of them, `seq` orders what came in the same millisecond. */
export const NEWEST_FIRST: Sort = { created_at: -1, seq: -1, _id: -1 };

/** `NEWEST_FIRST`, to merge the results of several queries. */
export function compareNewestFirst(one: MessageDocument, other: MessageDocument): number {
  return (
    other.created_at.getTime() - one.created_at.getTime() ||
    other.seq - one.seq ||
    (other._id.toHexString() > one._id.toHexString() ? 1 : -1)
  );
}

/**
 * Matches the visible messages that hold all words. Tombstones have no terms and never match.
 * @param scopes the conversations to search, of one kind
 * @param words as `queryTermsOf` makes them
 * @param before only what comes after this message in `NEWEST_FIRST`
 */
export function matching(
  scopes: Scope[],
  words: string[],
  before: MessageDocument | undefined,
): Filter<MessageDocument> {
  return {
    conversation_id: { $in: scopes.map(({ id }) => id) },
    $and: [...words.map(beginsWith), ...(before ? [olderThan(before)] : []), ...visibleWithin(scopes)],
  };
}

/** Words are letters, marks, digits and emojis only: nothing to escape in a pattern. */
function beginsWith(word: string): Filter<MessageDocument> {
  return { terms: new RegExp(`^${word}`) };
}

/** Matches what comes after a message in `NEWEST_FIRST`. */
export function olderThan({ created_at, seq, _id }: MessageDocument): Filter<MessageDocument> {
  return {
    created_at: { $lte: created_at },
    $or: [{ created_at: { $lt: created_at } }, { seq: { $lt: seq } }, { seq, _id: { $lt: _id } }],
  };
}
