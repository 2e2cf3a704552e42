/** Reads a user's groups in outline by two commands, which can read other things along with them. */
import type { Document, ObjectId } from 'mongodb';
import type { Visibility } from '../conversations/visibility.ts';
import type { Collections } from '../model/collections.ts';
import type { ConversationDocument, MembershipDocument } from '../model/documents/conversations.ts';
import { comparePositions } from './list-position.ts';
import { type GroupOutline, type Outline, outlineOfGroup } from './outline.ts';
import { having, type Part, readTogether } from './read-together.ts';

export interface GroupOutlines {
  /**
   * The first command: in which groups the user is.
   * @param along what else is read; its documents have no `updated_at`
   */
  find<T extends Document>(userId: ObjectId, along: readonly Part[]): Promise<FoundGroups<T>>;
}

export interface FoundGroups<T> {
  /** What was read along, among documents of the groups. */
  found: (T | GroupDocuments)[];
  /**
   * The second command, where there is anything to read.
   * @param along what else is read; its documents have no `joined_at` and no `last_seq`
   * @returns all groups that the user is in, newest activity first, and what was read along
   */
  outline<U extends Document>(along?: readonly Part[]): Promise<{ groups: Outline[]; found: (U | GroupDocuments)[] }>;
}

type GroupDocuments = GroupOutline | MembershipDocument | ConversationDocument;

export interface GroupOutlinesOptions {
  collections: Pick<Collections, 'conversations' | 'memberships' | 'groups'>;
  visibility: Visibility;
}

export function createGroupOutlines({ collections, visibility }: GroupOutlinesOptions): GroupOutlines {
  const { conversations, memberships, groups } = collections;

  /** The group's document alone says who is in it. */
  const activeGroups = (user_id: ObjectId): Part => ({
    collection: groups,
    stages: [{ $match: { members: user_id, is_active: true } }, { $project: { created_at: 1, updated_at: 1 } }],
  });

  /** The stays say from where on, even of users who left and came back at the same moment: `left_at` is not asked. */
  const summariesAndStays = (user_id: ObjectId, ids: string[]): Part[] =>
    ids.length === 0
      ? []
      : [
          { collection: conversations, stages: [{ $match: { _id: { $in: ids } } }] },
          { collection: memberships, stages: [{ $match: { user_id, conversation_id: { $in: ids } } }] },
        ];

  return {
    async find<T extends Document>(user_id: ObjectId, along: readonly Part[]): Promise<FoundGroups<T>> {
      const found = await readTogether<GroupDocuments>([activeGroups(user_id), ...along]);
      const active = having(found, 'updated_at');
      const ids = active.map(({ _id }) => _id.toHexString());

      async function outline<U extends Document>(later: readonly Part[] = []) {
        const more = await readTogether<GroupDocuments>([...summariesAndStays(user_id, ids), ...later]);
        const stays = new Map(having(more, 'joined_at').map((stay) => [stay.conversation_id, stay]));
        const summaries = new Map(having(more, 'last_seq').map((summary) => [summary._id, summary]));
        const outlines = active.flatMap((group, i) => {
          const stay = stays.get(ids[i]!);
          return stay ? [outlineOfGroup(group, stay, visibility.fromSeq(stay), summaries.get(ids[i]!))] : [];
        });
        return { groups: outlines.sort(comparePositions), found: more as (U | GroupDocuments)[] };
      }
      return { found: found as (T | GroupDocuments)[], outline };
    },
  };
}
