/**
 * `message:search` (PROTOCOL section 4): messages that hold every word of the query, each as the beginning of one of
 * theirs. How it is indexed and what it costs: docs/data.md, "Search".
 */
import type { Filter, Sort } from 'mongodb';
import type { Message } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { fromId } from '../model/codec.ts';
import { notFound } from '../lib/errors.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { toWireMessage } from '../model/views/message.ts';
import { termsOf } from './terms.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { AccessRules } from '../conversations/access-rules.ts';

const DEFAULT_LIMIT = 50;

/** Where a user may search. */
export interface Scope {
  id: string;
  kind: ConversationRef['kind'];
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
}

export interface Search {
  /** @throws ContractError `not_found` for a `before_id` that the caller cannot see, or of another conversation */
  search(
    caller: Caller,
    payload: CommandPayload<'message:search'>,
  ): Promise<{ messages: Message[]; has_more: boolean }>;
}

/** @param scopesOf every conversation of a user */
export function createSearch(
  store: MessageStore,
  access: AccessRules,
  scopesOf: (caller: Caller) => Promise<Scope[]>,
): Search {
  async function scopes(
    caller: Caller,
    { recipient_id, group_id }: CommandPayload<'message:search'>,
  ): Promise<Scope[]> {
    if (recipient_id === undefined && group_id === undefined) return scopesOf(caller);
    const target = recipient_id === undefined ? { group_id: group_id! } : { recipient_id };
    const { conversation, fromSeq } = await access.enter(caller.id, target);
    return [{ id: conversation.id, kind: conversation.kind, fromSeq }];
  }

  /** The newest matches of one kind of conversation. */
  function find(
    kind: ConversationRef['kind'],
    within: Scope[],
    words: string[],
    before: MessageDocument | undefined,
    limit: number,
  ) {
    const searched = within.filter((scope) => scope.kind === kind);
    if (searched.length === 0) return [];
    const joinedLater = searched.filter(({ fromSeq }) => fromSeq > 0);
    const conditions: Filter<MessageDocument>[] = words.map(beginsWith);
    if (before) conditions.push(olderThan(before));
    if (joinedLater.length > 0) {
      conditions.push({
        $or: [
          { conversation_id: { $nin: joinedLater.map(({ id }) => id) } },
          ...joinedLater.map(({ id, fromSeq }) => ({ conversation_id: id, seq: { $gt: fromSeq } })),
        ],
      });
    }
    return store
      .of(kind)
      .find(
        // A tombstone has no terms.
        { conversation_id: { $in: searched.map(({ id }) => id) }, $and: conditions },
        { projection: { terms: 0 }, hint: 'conversation_terms' },
      )
      .sort(NEWEST_FIRST)
      .limit(limit + 1)
      .toArray();
  }

  return {
    async search(caller, payload) {
      const { query, before_id, limit = DEFAULT_LIMIT } = payload;
      const [within, before] = await Promise.all([
        scopes(caller, payload),
        before_id === undefined ? undefined : store.find(fromId(before_id)),
      ]);
      const scope = before && within.find(({ id }) => id === before.conversation_id);
      if (before_id !== undefined && !(before && scope && before.seq > scope.fromSeq))
        throw notFound('no such message');
      // The longest word is likely the rarest: the store begins with it.
      const words = termsOf(query).sort((one, other) => other.length - one.length);
      if (words.length === 0) return { messages: [], has_more: false };
      const found = await Promise.all(
        (['direct', 'group'] as const).map((kind) => find(kind, within, words, before ?? undefined, limit)),
      );
      const newest = found.flat().sort(compareNewestFirst);
      return { messages: newest.slice(0, limit).map(toWireMessage), has_more: newest.length > limit };
    },
  };
}

/** One order over all conversations; within one of them `seq` decides what came in the same millisecond. */
const NEWEST_FIRST: Sort = { created_at: -1, seq: -1, _id: -1 };

function compareNewestFirst(one: MessageDocument, other: MessageDocument): number {
  return (
    other.created_at.getTime() - one.created_at.getTime() ||
    other.seq - one.seq ||
    (other._id.toHexString() > one._id.toHexString() ? 1 : -1)
  );
}

function olderThan({ created_at, seq, _id }: MessageDocument): Filter<MessageDocument> {
  return {
    created_at: { $lte: created_at },
    $or: [{ created_at: { $lt: created_at } }, { seq: { $lt: seq } }, { seq, _id: { $lt: _id } }],
  };
}

/** Words are letters, digits and emojis only: nothing in them means anything in a pattern. */
function beginsWith(word: string): Filter<MessageDocument> {
  return { terms: new RegExp(`^${word}`) };
}
