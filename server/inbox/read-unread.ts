/** How much a user has not read, over all conversations: what the badge of an app shows. */
import type { ObjectId } from 'mongodb';
import type { MessageStore } from '../conversations/message-store.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument, MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupOutlines } from './group-outlines.ts';
import { outlineOfPair } from './outline.ts';
import type { PairParts } from './pair-parts.ts';
import { having, readTogether } from './read-together.ts';
import { type Countable, type UnreadCount, unreadParts } from './unread-counts.ts';

export interface Unread {
  /** Conversations with unread messages that are not muted. */
  badge: number;
  /** The unread messages of each conversation that has any. */
  counts: ReadonlyMap<string, number>;
}

/** Reads it by three commands, however many conversations. */
export type ReadUnread = (userId: ObjectId) => Promise<Unread>;

export interface ReadUnreadOptions {
  collections: Pick<Collections, 'memberships'>;
  store: MessageStore;
  groupOutlines: GroupOutlines;
  pairParts: PairParts;
  clock(): Date;
}

type Stay = Pick<MembershipDocument, 'read_seq' | 'muted_until'>;
type PairStay = Stay & Pick<MembershipDocument, 'conversation_id'> & { peer_id: ObjectId };

export function createReadUnread(options: ReadUnreadOptions): ReadUnread {
  const { collections, store, groupOutlines, pairParts, clock } = options;

  const pairStays = (user_id: ObjectId) => ({
    collection: collections.memberships,
    stages: [
      { $match: { user_id, kind: 'direct' } },
      { $project: { _id: 0, conversation_id: 1, peer_id: 1, read_seq: 1, muted_until: 1 } },
    ],
  });

  async function placesOf(userId: ObjectId): Promise<(Countable & { membership: Stay })[]> {
    const { found, outline } = await groupOutlines.find<ConversationDocument>(userId, [
      pairParts.behind(userId, undefined),
    ]);
    const { groups, found: along } = await outline<PairStay>([pairStays(userId)]);
    const stays = new Map(having(along, 'peer_id').map((stay) => [stay.conversation_id, stay]));
    const pairs = having(found, 'last_seq').map(outlineOfPair);
    return [...pairs, ...groups].flatMap(({ id, summary, fromSeq, membership = stays.get(id) }) =>
      membership ? [{ id, summary, fromSeq, membership }] : [],
    );
  }

  return async (userId) => {
    const places = await placesOf(userId);
    const found = await readTogether<UnreadCount>(unreadParts(store, userId, places));
    const counts = new Map(found.map(({ _id, count }) => [_id, count]));
    const now = clock();
    const isMuted = ({ muted_until }: Stay) => muted_until !== undefined && muted_until > now;
    const badge = places.filter(({ id, membership }) => counts.has(id) && !isMuted(membership)).length;
    return { badge, counts };
  };
}
