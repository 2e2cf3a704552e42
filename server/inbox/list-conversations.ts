/**
 * `conversation:list`: a user's conversations in pages. A page continues after the position of the last conversation
 * rather than a count, so conversations that move up meanwhile make it neither skip nor repeat the others.
 */
import type { Conversation } from '../../shared/contract/documents.ts';
import type { CommandPayload } from '../../shared/contract/index.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import { bytesOfConversation, MAX_ANSWER_BYTES } from './answer-size.ts';
import type { GroupOutlines } from './group-outlines.ts';
import { comparePositions, fromCursor, isAfter, toCursor } from './list-position.ts';
import { outlineOfPair } from './outline.ts';
import type { PairParts } from './pair-parts.ts';
import type { CheckedPlace } from './place.ts';
import type { Places } from './places.ts';
import { having } from './read-together.ts';
import type { ConversationViews } from './views.ts';

const DEFAULT_LIMIT = 50;

export interface ListConversationsOptions {
  groupOutlines: GroupOutlines;
  pairParts: PairParts;
  places: Places;
  views: ConversationViews;
}

export function createListConversations({ groupOutlines, pairParts, places, views }: ListConversationsOptions) {
  /** @throws ContractError `validation_failed` for a cursor that did not come from a page */
  return async (
    { userId }: Caller,
    { limit = DEFAULT_LIMIT, cursor }: CommandPayload<'conversation:list'>,
  ): Promise<{ conversations: Conversation[]; cursor?: string }> => {
    const after = cursor === undefined ? undefined : fromCursor(cursor);
    // One more than a page can hold tells whether there is another.
    const { found, outline } = await groupOutlines.find<ConversationDocument>(userId, [
      pairParts.behind(userId, after, limit + 1),
    ]);
    const pairs = having(found, 'last_seq').map(outlineOfPair);
    const { groups } = await outline();
    const rest = [...pairs, ...groups.filter((group) => isAfter(group, after))].sort(comparePositions);
    const page = rest.slice(0, limit);
    const listed = await places.of(userId, page);
    const shown = fitting(listed);
    const ends = shown.length < listed.length ? page.find(({ id }) => id === shown.at(-1)!.id) : page.at(-1);
    const hasMore = shown.length < listed.length || rest.length > limit;
    return {
      conversations: await views.of(userId, shown),
      ...(ends && hasMore ? { cursor: toCursor(ends) } : {}),
    };
  };
}

/** As many as one answer has room for, at least one. */
function fitting(places: CheckedPlace[]): CheckedPlace[] {
  let bytes = 0;
  const end = places.findIndex((place) => {
    const isFull = bytes > MAX_ANSWER_BYTES;
    bytes += bytesOfConversation(place);
    return isFull;
  });
  return end < 0 ? places : places.slice(0, end);
}
