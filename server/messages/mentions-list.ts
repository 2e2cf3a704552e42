/** `message:mentions` (PROTOCOL section 16): the messages of others that mention the caller. */
import { mentioning } from '../conversations/mentioned.ts';
import type { MessageStore } from '../conversations/message-store.ts';
import { isVisible, type Scope, visibleWithin } from '../conversations/visibility.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { Handler } from '../dispatch/handlers.ts';
import { notFound } from '../lib/errors.ts';
import { fromId } from '../model/codec.ts';
import { KINDS } from '../model/conversation-ref.ts';
import { DEFAULT_LIMIT, toPage } from './page.ts';
import { compareNewestFirst, NEWEST_FIRST, olderThan } from './search-query.ts';

/**
 * @param scopesOf every conversation of a user
 * @returns a handler that throws ContractError `not_found` for a `before_id` that the caller cannot see
 */
export function createMentionsList(
  store: Pick<MessageStore, 'of' | 'show' | 'find'>,
  scopesOf: (caller: Caller) => Promise<Scope[]>,
): Handler<'message:mentions'> {
  return async (caller, { before_id, limit = DEFAULT_LIMIT }) => {
    const [scopes, before] = await Promise.all([
      scopesOf(caller),
      before_id === undefined ? undefined : store.find(fromId(before_id)),
    ]);
    const scopeOfBefore = before && scopes.find(({ id }) => id === before.conversation_id);
    if (before_id !== undefined && !(scopeOfBefore && isVisible(before!, scopeOfBefore.fromSeq))) {
      throw notFound('no such message');
    }
    const found = await Promise.all(
      KINDS.map((kind) => {
        const within = scopes.filter((scope) => scope.kind === kind);
        if (within.length === 0) return [];
        return store
          .of(kind)
          .find(
            {
              conversation_id: { $in: within.map(({ id }) => id) },
              ...mentioning(caller.userId),
              $and: [...(before ? [olderThan(before)] : [{}]), ...visibleWithin(within)],
            },
            { projection: { terms: 0 }, hint: 'mentioned' },
          )
          .sort(NEWEST_FIRST)
          .limit(limit + 1)
          .toArray();
      }),
    );
    const newest = found
      .flat()
      .sort(compareNewestFirst)
      .slice(0, limit + 1);
    return toPage(await store.show(newest), limit);
  };
}
