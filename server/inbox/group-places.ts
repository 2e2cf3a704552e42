/** Where each group begins for its members: what delivery needs when a device connects. */
import type { Filter } from 'mongodb';
import type { Visibility } from '../conversations/visibility.ts';
import type { GroupPlace } from '../delivery/admission.ts';
import { batched } from '../lib/group-commit.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { MembershipDocument } from '../model/documents/conversations.ts';
import { ONE_BATCH } from './one-batch.ts';

export interface GroupPlacesOptions {
  collections: Pick<Collections, 'groups' | 'memberships'>;
  visibility: Visibility;
}

/**
 * Creates the look-up of the groups that a user is in, and from where the user sees each. Two queries serve all users
 * who connect at once, however many groups they have left.
 */
export function createGroupPlaces({ collections, visibility }: GroupPlacesOptions) {
  const { groups, memberships } = collections;

  async function readStays(filter: Filter<MembershipDocument>): Promise<Map<string, Stay>> {
    const found = await memberships
      .find<Stay>(filter, {
        projection: { _id: 0, user_id: 1, conversation_id: 1, from_seq: 1 },
        batchSize: ONE_BATCH,
      })
      .toArray();
    return new Map(found.map((stay) => [keyOf(stay.user_id.toHexString(), stay.conversation_id), stay]));
  }

  return batched('places in groups', async (userIds: readonly string[]): Promise<GroupPlace[][]> => {
    const ids = [...new Set(userIds)].map(fromId);
    // The group's document alone says who is in it; the membership says where the history begins.
    const [found, stays] = await Promise.all([
      groups
        .find(
          { members: { $in: ids }, is_active: true },
          { projection: { members: { $setIntersection: [ids, '$members'] } }, batchSize: ONE_BATCH },
        )
        .toArray(),
      readStays({ user_id: { $in: ids }, kind: 'group', left_at: { $exists: false } }),
    ]);
    const places = found.flatMap(({ _id, members }) =>
      members.map((member) => ({ user_id: member, conversation_id: _id.toHexString() })),
    );
    // A user who left and came back at the same moment may be in although the membership says otherwise.
    const missing = places.filter((place) => !stays.has(keyOf(place.user_id.toHexString(), place.conversation_id)));
    const others = missing.length > 0 ? await readStays({ $or: missing }) : new Map<string, Stay>();
    const byUser = new Map(userIds.map((userId) => [userId, [] as GroupPlace[]]));
    for (const { user_id, conversation_id } of places) {
      const userId = user_id.toHexString();
      const key = keyOf(userId, conversation_id);
      const from_seq = visibility.fromSeq(stays.get(key) ?? others.get(key));
      byUser.get(userId)?.push({ group_id: conversation_id, from_seq });
    }
    return userIds.map((userId) => byUser.get(userId)!);
  });
}

type Stay = Pick<MembershipDocument, 'user_id' | 'conversation_id' | 'from_seq'>;

function keyOf(userId: string, groupId: string): string {
  return `${userId} ${groupId}`;
}
