/** What a user is in: one place per conversation, read for many conversations at once. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument, GroupDocument, MembershipDocument } from '../model/documents.ts';
import { fromId } from '../model/codec.ts';
import type { Visibility } from '../conversations/visibility.ts';

/** One answer of the database holds them all: a second round trip only above it. */
const ONE_BATCH = 10_000;

/** A user's place in a conversation. */
export interface Place {
  id: string;
  membership: MembershipDocument;
  /** Not checked against the messages yet (`summaries.check`). */
  summary: ConversationDocument;
  /** The group, if it is one. */
  group?: GroupDocument;
  /** Messages up to this `seq` are not visible. */
  fromSeq: number;
}

export interface Places {
  /** Every conversation of a user; pairs in which nothing was ever written may be among them. */
  all(userId: ObjectId): Promise<Place[]>;
  /** The groups that a user is in. */
  groups(userId: ObjectId): Promise<Place[]>;
  /** Those of the conversations that the user is in. */
  named(userId: ObjectId, conversationIds: string[]): Promise<Place[]>;
  /** The user's places in pairs whose summaries are known. */
  pairs(userId: ObjectId, summaries: ConversationDocument[]): Promise<Place[]>;
}

/** When something happened in a conversation last, as its user sees it: the order of lists. */
export function activityOf({ summary, membership }: Pick<Place, 'summary' | 'membership'>): Date {
  if (summary.kind === 'direct') return summary.activity_at;
  return new Date(Math.max(summary.activity_at.getTime(), membership.joined_at.getTime()));
}

export function createPlaces({ conversations, memberships, groups }: Collections, visibility: Visibility): Places {
  const membershipsOf = (filter: object): Promise<MembershipDocument[]> =>
    memberships.find(filter, { batchSize: ONE_BATCH }).toArray();
  const summariesOf = (ids: string[]): Promise<ConversationDocument[]> =>
    ids.length === 0
      ? Promise.resolve([])
      : conversations.find({ _id: { $in: ids } }, { batchSize: ONE_BATCH }).toArray();

  function join(found: MembershipDocument[], summaries: ConversationDocument[], inGroups: GroupDocument[]): Place[] {
    const summaryOf = new Map(summaries.map((summary) => [summary._id, summary]));
    const groupOf = new Map(inGroups.map((group) => [group._id.toHexString(), group]));
    return found.flatMap((membership): Place[] => {
      const id = membership.conversation_id;
      const summary = summaryOf.get(id);
      const group = groupOf.get(id);
      if (membership.kind === 'direct') {
        return summary ? [{ id, membership, summary, fromSeq: membership.from_seq }] : [];
      }
      if (!group) return [];
      const fromSeq = visibility.fromSeq(membership);
      return [{ id, membership, summary: summary ?? emptySummary(group), group, fromSeq }];
    });
  }

  async function groupsOf(user_id: ObjectId): Promise<Place[]> {
    // Who is in a group is in the group's document alone.
    const [inGroups, found] = await Promise.all([
      groups.find({ members: user_id, is_active: true }, { batchSize: ONE_BATCH }).toArray(),
      membershipsOf({ user_id, kind: 'group' }),
    ]);
    return join(found, await summariesOf(inGroups.map(({ _id }) => _id.toHexString())), inGroups);
  }

  return {
    async all(user_id) {
      const [inGroups, found] = await Promise.all([groupsOf(user_id), membershipsOf({ user_id, kind: 'direct' })]);
      return [...join(found, await summariesOf(found.map((one) => one.conversation_id)), []), ...inGroups];
    },
    groups: groupsOf,
    async named(user_id, ids) {
      const groupIds = ids.filter((id) => !id.includes('-')).map(fromId);
      const [found, summaries, inGroups] = await Promise.all([
        membershipsOf({ user_id, conversation_id: { $in: ids } }),
        summariesOf(ids),
        groupIds.length === 0
          ? []
          : groups.find({ _id: { $in: groupIds }, members: user_id, is_active: true }).toArray(),
      ]);
      return join(found, summaries, inGroups);
    },
    async pairs(user_id, summaries) {
      if (summaries.length === 0) return [];
      const ids = summaries.map(({ _id }) => _id);
      return join(await membershipsOf({ user_id, conversation_id: { $in: ids } }), summaries, []);
    },
  };
}

/** Of a group whose summary is not there (yet): nothing was written. */
function emptySummary(group: GroupDocument): ConversationDocument {
  return {
    _id: group._id.toHexString(),
    kind: 'group',
    group_id: group._id,
    last_seq: 0,
    rev: 0,
    activity_at: group.created_at,
    changed_at: group.created_at,
    created_at: group.created_at,
  };
}
