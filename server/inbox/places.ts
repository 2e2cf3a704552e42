/** Reads a user's places in conversations: a constant number of queries, however many places. */
import type { ObjectId } from 'mongodb';
import type { Visibility } from '../conversations/visibility.ts';
import type { Collections } from '../model/collections.ts';
import { fromId } from '../model/codec.ts';
import { refFromId } from '../model/conversation-ref.ts';
import type { ConversationDocument } from '../model/documents/conversations.ts';
import { ONE_BATCH } from './one-batch.ts';
import { type CheckedPlace, joinPlaces, type Place } from './place.ts';
import type { CheckSummaries } from './summary-check.ts';

export interface Places {
  /** The user's place in every conversation, including pairs in which nothing was ever written. */
  all(userId: ObjectId): Promise<Place[]>;
  /** The user's places in groups. */
  inGroups(userId: ObjectId): Promise<Place[]>;
  /** The user's places in the pairs with these summaries. */
  inPairs(userId: ObjectId, summaries: ConversationDocument[]): Promise<Place[]>;
  /** The user's place in one conversation; undefined if the user is not in it. */
  find(userId: ObjectId, conversationId: string): Promise<Place | undefined>;
  /** Checks the places' summaries against the messages and drops pairs in which nothing was ever written. */
  check(places: Place[]): Promise<CheckedPlace[]>;
}

export interface PlacesOptions {
  collections: Pick<Collections, 'conversations' | 'memberships' | 'groups'>;
  visibility: Visibility;
  checkSummaries: CheckSummaries;
}

export function createPlaces({ collections, visibility, checkSummaries }: PlacesOptions): Places {
  const { conversations, memberships, groups } = collections;

  async function summariesOf(ids: string[]): Promise<ConversationDocument[]> {
    if (ids.length === 0) return [];
    return conversations.find({ _id: { $in: ids } }, { batchSize: ONE_BATCH }).toArray();
  }

  async function read(userId: ObjectId, filter: { kind?: 'group' }): Promise<Place[]> {
    const [active, found] = await Promise.all([
      groups.find({ members: userId, is_active: true }, { batchSize: ONE_BATCH }).toArray(),
      memberships.find({ user_id: userId, ...filter }, { batchSize: ONE_BATCH }).toArray(),
    ]);
    const pairIds = found.flatMap((one) => (one.kind === 'direct' ? [one.conversation_id] : []));
    const groupIds = active.map(({ _id }) => _id.toHexString());
    return joinPlaces(visibility, found, await summariesOf([...pairIds, ...groupIds]), active);
  }

  return {
    all: (userId) => read(userId, {}),
    inGroups: (userId) => read(userId, { kind: 'group' }),
    async inPairs(userId, summaries) {
      if (summaries.length === 0) return [];
      const ids = summaries.map(({ _id }) => _id);
      const found = await memberships
        .find({ user_id: userId, conversation_id: { $in: ids } }, { batchSize: ONE_BATCH })
        .toArray();
      return joinPlaces(visibility, found, summaries, []);
    },
    async find(userId, conversationId) {
      const ref = refFromId(conversationId);
      const [membership, summary, group] = await Promise.all([
        memberships.findOne({ user_id: userId, conversation_id: conversationId }),
        conversations.findOne({ _id: conversationId }),
        ref.kind === 'group'
          ? groups.findOne({ _id: fromId(ref.group_id), members: userId, is_active: true })
          : undefined,
      ]);
      if (!membership) return undefined;
      return joinPlaces(visibility, [membership], summary ? [summary] : [], group ? [group] : [])[0];
    },
    async check(places) {
      const summaries = await checkSummaries(places.map(({ summary }) => summary));
      return places
        .map((place, i) => ({ ...place, summary: summaries[i]! }))
        .filter(({ group, summary }) => group || summary.last_seq > 0);
    },
  };
}
