/** Reads a user's places in conversations: a constant number of queries, however many places. */
import type { ObjectId } from 'mongodb';
import type { Visibility } from '../conversations/visibility.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { refFromId } from '../model/conversation-ref.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import { ONE_BATCH } from './one-batch.ts';
import { type Outline, outlineOfGroup, outlineOfPair } from './outline.ts';
import type { CheckedPlace, Place } from './place.ts';
import type { CheckSummaries } from './summary-check.ts';

export interface Places {
  /** The places of which these are the outlines, in their order. What the user has left since is left out. */
  of(userId: ObjectId, outlines: readonly Outline[]): Promise<Place[]>;
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

  async function readGroups(userId: ObjectId, outlines: readonly Outline[]): Promise<Map<string, GroupDocument>> {
    const ids = outlines.flatMap(({ summary }) => summary.group_id ?? []);
    if (ids.length === 0) return new Map();
    const found = await groups
      .find({ _id: { $in: ids }, members: userId, is_active: true }, { batchSize: ONE_BATCH })
      .toArray();
    return new Map(found.map((group) => [group._id.toHexString(), group]));
  }

  async function readPairStays(userId: ObjectId, outlines: readonly Outline[]) {
    const ids = outlines.flatMap(({ id, membership }) => (membership ? [] : [id]));
    if (ids.length === 0) return new Map<string, MembershipDocument>();
    const found = await memberships
      .find({ user_id: userId, conversation_id: { $in: ids } }, { batchSize: ONE_BATCH })
      .toArray();
    return new Map(found.map((stay) => [stay.conversation_id, stay]));
  }

  return {
    async of(userId, outlines) {
      const [stayOf, groupOf] = await Promise.all([readPairStays(userId, outlines), readGroups(userId, outlines)]);
      return outlines.flatMap(({ id, summary, fromSeq, membership = stayOf.get(id) }): Place[] => {
        const group = groupOf.get(id);
        if (!membership || (summary.kind === 'group' && !group)) return [];
        return [{ id, membership, summary, ...(group ? { group } : {}), fromSeq }];
      });
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
      if (ref.kind === 'direct') return summary ? { ...outlineOfPair(summary), membership } : undefined;
      if (!group) return undefined;
      const outline = outlineOfGroup(group, membership, visibility.fromSeq(membership), summary ?? undefined);
      return { ...outline, membership, group };
    },
    async check(places) {
      const summaries = await checkSummaries(places.map(({ summary }) => summary));
      return places
        .map((place, i) => ({ ...place, summary: summaries[i]! }))
        .filter(({ group, summary }) => group || summary.last_seq > 0);
    },
  };
}
