/** Every conversation of a user, and from where on the user sees it: what `message:search` looks through. */
import type { Scope } from '../conversations/visibility.ts';
import type { Caller } from '../dispatch/caller.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import type { GroupOutlines } from './group-outlines.ts';
import { outlineOfPair } from './outline.ts';
import type { PairParts } from './pair-parts.ts';
import { having } from './read-together.ts';

export interface ScopesOptions {
  groupOutlines: GroupOutlines;
  pairParts: PairParts;
}

/** @returns a function that reads the scopes by two commands, the pairs' first and newest first */
export function createScopesOf({ groupOutlines, pairParts }: ScopesOptions) {
  return async ({ userId }: Caller): Promise<Scope[]> => {
    const { found, outline } = await groupOutlines.find<ConversationDocument>(userId, [
      pairParts.behind(userId, undefined),
    ]);
    const pairs = having(found, 'last_seq').map(outlineOfPair);
    const { groups } = await outline();
    return [...pairs, ...groups].map(({ id, summary, fromSeq }) => ({ id, kind: summary.kind, fromSeq }));
  };
}
