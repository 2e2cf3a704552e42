/**
 * `message:search` (PROTOCOL section 4): messages in which every word of the query begins a word, or is part of a
 * sentence without spaces. For the index and its costs see docs/data.md, "Search".
 */
import { isDeepStrictEqual } from 'node:util';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { AccessRules } from '../conversations/access-rules.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { isVisible, type Scope } from '../conversations/visibility.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import { KINDS } from '../model/conversation-ref.ts';
import type { MessageDocument } from '../model/documents/messages.ts';
import { earlierTermsOf } from './earlier-terms.ts';
import { DEFAULT_LIMIT, ONE_REPLY, type PageRead, readPage, toPage } from './page.ts';
import { compareNewestFirst, matching, NEWEST_FIRST } from './search-query.ts';
import { queryTermsOf } from './terms.ts';

/**
 * @param scopesOf every conversation of a user
 * @param isFoldingAnew whether there may still be messages with terms of an earlier version
 * @returns a handler that throws ContractError `not_found` for a `before_id` that the caller cannot see in what is
 *   searched
 */
export function createSearch(
  store: MessageStore,
  access: Pick<AccessRules, 'enter'>,
  scopesOf: (caller: Caller) => Promise<Scope[]>,
  isFoldingAnew: () => boolean,
): Handler<'message:search'> {
  async function scopesFor(caller: Caller, payload: CommandPayload<'message:search'>): Promise<Scope[]> {
    if (payload.recipient_id === undefined && payload.group_id === undefined) return scopesOf(caller);
    const { conversation, fromSeq } = await access.enter(caller.id, payload);
    return [{ id: conversation.id, kind: conversation.kind, fromSeq }];
  }

  /** The newest matches among one kind of conversation. */
  async function find(
    kind: Scope['kind'],
    within: Scope[],
    words: string[],
    before: MessageDocument | undefined,
    limit: number,
  ): Promise<PageRead> {
    const scopes = within.filter((scope) => scope.kind === kind);
    if (scopes.length === 0) return { found: [], most: 0 };
    const cursor = store
      .of(kind)
      .find(matching(scopes, words, before), {
        projection: { terms: 0 },
        hint: 'conversation_terms',
        batchSize: ONE_REPLY,
      })
      .sort(NEWEST_FIRST)
      .limit(limit + 1);
    return readPage(cursor, limit);
  }

  /** What to look for; any of them will do. The longest word comes first, likely the rarest: the store begins with it. */
  function wordings(query: string): string[][] {
    const words = queryTermsOf(query);
    const earlier = isFoldingAnew() ? earlierTermsOf(query) : words;
    const all = isDeepStrictEqual(words, earlier) ? [words] : [words, earlier];
    return all.filter(({ length }) => length > 0);
  }

  return async (caller, payload) => {
    const { query, before_id, limit = DEFAULT_LIMIT } = payload;
    const [within, before] = await Promise.all([
      scopesFor(caller, payload),
      before_id === undefined ? undefined : store.find(fromId(before_id)),
    ]);
    if (before_id !== undefined && !(before && isWithin(before, within))) throw notFound('no such message');
    const found = await Promise.all(
      wordings(query).flatMap((words) => KINDS.map((kind) => find(kind, within, words, before, limit))),
    );
    const { found: newest, most } = merged(found, limit);
    return toPage(await store.show(newest), most);
  };
}

/** Merges pages: what is older than the end of one of them comes with the next, since there may be more in between. */
function merged(pages: PageRead[], limit: number): PageRead {
  const distinct = new Map(pages.flatMap(({ found }) => found).map((message) => [message._id.toHexString(), message]));
  const ends = pages.filter(({ found, most }) => found.length > most).map(({ found }) => found.at(-1)!);
  const found = [...distinct.values()]
    .filter((message) => ends.every((end) => compareNewestFirst(message, end) <= 0 || message._id.equals(end._id)))
    .sort(compareNewestFirst)
    .slice(0, limit + 1);
  return { found, most: ends.length > 0 ? Math.min(limit, found.length - 1) : limit };
}

function isWithin(message: MessageDocument, scopes: Scope[]): boolean {
  const scope = scopes.find(({ id }) => id === message.conversation_id);
  return scope !== undefined && isVisible(message, scope.fromSeq);
}
