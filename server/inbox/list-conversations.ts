/**
 * `conversation:list`: a user's conversations in pages. A page continues after the position of the last conversation
 * rather than a count, so conversations that move up meanwhile make it neither skip nor repeat the others.
 */
import type { Filter } from 'mongodb';
import type { Conversation } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import { comparePositions, fromCursor, type ListPosition, positionOf, toCursor } from './list-position.ts';
import type { Places } from './places.ts';
import type { ConversationViews } from './views.ts';

const DEFAULT_LIMIT = 50;

export interface ListConversationsOptions {
  collections: Pick<Collections, 'conversations'>;
  places: Places;
  views: ConversationViews;
}

export function createListConversations({ collections, places, views }: ListConversationsOptions) {
  /** The summaries of the user's pairs after a position, the newest first: one more than a page can hold. */
  function pairsAfter({ userId }: Caller, after: ListPosition | undefined, limit: number) {
    const at = after && new Date(after.at);
    const filter: Filter<ConversationDocument> = {
      user_ids: userId,
      ...(at ? { activity_at: { $lte: at }, $or: [{ activity_at: { $lt: at } }, { _id: { $lt: after.id } }] } : {}),
    };
    return collections.conversations
      .find(filter, { batchSize: limit + 2 })
      .sort({ activity_at: -1, _id: -1 })
      .limit(limit + 1)
      .toArray();
  }

  /** @throws ContractError `validation_failed` for a cursor that did not come from a page */
  return async (
    caller: Caller,
    { limit = DEFAULT_LIMIT, cursor }: CommandPayload<'conversation:list'>,
  ): Promise<{ conversations: Conversation[]; cursor?: string }> => {
    const after = cursor === undefined ? undefined : fromCursor(cursor);
    const [pairs, groups] = await Promise.all([
      pairsAfter(caller, after, limit).then((summaries) => places.inPairs(caller.userId, summaries)),
      places.inGroups(caller.userId),
    ]);
    const rest = [...pairs, ...groups].filter((place) => !after || comparePositions(positionOf(place), after) > 0);
    rest.sort((one, other) => comparePositions(positionOf(one), positionOf(other)));
    const page = rest.slice(0, limit);
    const last = page.at(-1);
    return {
      conversations: await views.of(caller.userId, await places.check(page)),
      ...(last && rest.length > limit ? { cursor: toCursor(positionOf(last)) } : {}),
    };
  };
}
