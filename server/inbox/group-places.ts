/** Where each group begins for its members: what delivery needs when a device connects. */
import type { Visibility } from '../conversations/visibility.ts';
import type { GroupPlace } from '../delivery/admission.ts';
import { batched } from '../lib/group-commit.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { ONE_BATCH } from './one-batch.ts';

export interface GroupPlacesOptions {
  collections: Pick<Collections, 'groups' | 'memberships'>;
  visibility: Visibility;
}

/**
 * Creates the look-up of the groups that a user is in, and from where the user sees each. Two queries serve all users
 * who connect at once.
 */
export function createGroupPlaces({ collections, visibility }: GroupPlacesOptions) {
  const { groups, memberships } = collections;
  return batched(async (userIds: readonly string[]): Promise<GroupPlace[][]> => {
    const ids = [...new Set(userIds)].map(fromId);
    // The group's document alone says who is in it; the membership says where the history begins.
    const [found, stays] = await Promise.all([
      groups
        .find(
          { members: { $in: ids }, is_active: true },
          { projection: { members: { $setIntersection: [ids, '$members'] } }, batchSize: ONE_BATCH },
        )
        .toArray(),
      memberships
        .find(
          { user_id: { $in: ids }, kind: 'group' },
          { projection: { _id: 0, user_id: 1, conversation_id: 1, from_seq: 1 }, batchSize: ONE_BATCH },
        )
        .toArray(),
    ]);
    const stayOf = new Map(stays.map((stay) => [`${stay.user_id.toHexString()} ${stay.conversation_id}`, stay]));
    const byUser = new Map(userIds.map((userId) => [userId, [] as GroupPlace[]]));
    for (const { _id, members } of found) {
      const group_id = _id.toHexString();
      for (const userId of members.map((member) => member.toHexString())) {
        const from_seq = visibility.fromSeq(stayOf.get(`${userId} ${group_id}`));
        byUser.get(userId)?.push({ group_id, from_seq });
      }
    }
    return userIds.map((userId) => byUser.get(userId)!);
  });
}
