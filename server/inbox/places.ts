/** Reads a user's places in conversations: a constant number of commands, however many places. */
import type { ObjectId } from 'mongodb';
import type { Visibility } from '../conversations/visibility.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { refFromId } from '../model/conversation-ref.ts';
import type { ConversationDocument, MembershipDocument } from '../model/documents/conversations.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { Evidence } from './newest.ts';
import { type GroupOutline, type Outline, outlineOfGroup, outlineOfPair } from './outline.ts';
import type { CheckedPlace } from './place.ts';
import { having, type Part, readTogether } from './read-together.ts';
import type { SummaryCheck } from './summary-check.ts';

export interface Places {
  /**
   * The places with these outlines, in the same order, their summaries checked against the messages, by one command.
   * Leaves out what the user has left since, and pairs in which nothing was ever written.
   */
  of(userId: ObjectId, outlines: readonly Outline[]): Promise<CheckedPlace[]>;
  /** The same for one conversation, by two commands; undefined if the user is not in it. */
  find(userId: ObjectId, conversationId: string): Promise<CheckedPlace | undefined>;
}

export interface PlacesOptions {
  collections: Pick<Collections, 'conversations' | 'memberships' | 'groups'>;
  visibility: Visibility;
  summaryCheck: SummaryCheck;
}

export function createPlaces({ collections, visibility, summaryCheck }: PlacesOptions): Places {
  const { conversations, memberships, groups } = collections;

  /** The groups' documents, and the stays that the outlines lack. */
  function placeParts(user_id: ObjectId, outlines: readonly Outline[]): Part[] {
    const groupIds = outlines.flatMap(({ summary }) => summary.group_id ?? []);
    const ids = outlines.flatMap(({ id, membership }) => (membership ? [] : [id]));
    return [
      ...(groupIds.length > 0 ? [groupPart(user_id, groupIds)] : []),
      ...(ids.length > 0
        ? [{ collection: memberships, stages: [{ $match: { user_id, conversation_id: { $in: ids } } }] }]
        : []),
    ];
  }

  const groupPart = (user_id: ObjectId, ids: ObjectId[]): Part => ({
    collection: groups,
    // Invitations are not shown, and may be many.
    stages: [
      { $match: { _id: { $in: ids }, members: user_id, is_active: true } },
      { $project: { invites: 0, invite_keys: 0 } },
    ],
  });

  const inOutline = ({ collection, stages }: Part): Part => ({
    collection,
    stages: [...stages, { $project: { created_at: 1, updated_at: 1 } }],
  });

  async function readPlaces(userId: ObjectId, outlines: readonly Outline[]): Promise<CheckedPlace[]> {
    const summaries = outlines.map(({ summary }) => summary);
    const found = await readTogether<GroupDocument | MembershipDocument | Evidence>([
      ...placeParts(userId, outlines),
      ...summaryCheck.evidence(summaries),
    ]);
    const groupOf = new Map(having(found, 'members').map((group) => [group._id.toHexString(), group]));
    const stayOf = new Map(having(found, 'joined_at').map((stay) => [stay.conversation_id, stay]));
    const checked = await summaryCheck.check(summaries, found);
    return outlines.flatMap(({ id, fromSeq, membership = stayOf.get(id) }, i): CheckedPlace[] => {
      const summary = checked[i]!;
      const group = groupOf.get(id);
      if (!membership || (summary.kind === 'group' ? !group : summary.last_seq === 0)) return [];
      return [{ id, membership, summary, ...(group ? { group } : {}), fromSeq }];
    });
  }

  /** The outline of one conversation, with the user's stay. */
  async function readOutline(user_id: ObjectId, conversationId: string): Promise<Outline | undefined> {
    const ref = refFromId(conversationId);
    const found = await readTogether<MembershipDocument | ConversationDocument | GroupOutline>([
      { collection: memberships, stages: [{ $match: { user_id, conversation_id: conversationId } }] },
      { collection: conversations, stages: [{ $match: { _id: conversationId } }] },
      ...(ref.kind === 'group' ? [inOutline(groupPart(user_id, [fromId(ref.group_id)]))] : []),
    ]);
    const [membership] = having(found, 'joined_at');
    const [summary] = having(found, 'last_seq');
    const [group] = having(found, 'updated_at');
    if (!membership) return undefined;
    if (ref.kind === 'direct') return summary && { ...outlineOfPair(summary), membership };
    return group && outlineOfGroup(group, membership, visibility.fromSeq(membership), summary);
  }

  return {
    of: readPlaces,
    async find(userId, conversationId) {
      const outline = await readOutline(userId, conversationId);
      const [place] = outline ? await readPlaces(userId, [outline]) : [];
      return place;
    },
  };
}
