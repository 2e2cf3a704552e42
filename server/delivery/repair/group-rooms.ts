/** Brings the rooms of groups in line with their members, after this node may not have been told of changes. */

import type { Visibility } from '../../conversations/visibility.ts';
import { fromId } from '../../model/codec.ts';
import type { Collections } from '../../model/collections.ts';
import type { Delivery } from '../delivery.ts';

/** Documents in one answer of the database. */
const BATCH = 2000;

export interface GroupRoomsOptions {
  collections: Pick<Collections, 'groups' | 'memberships'>;
  delivery: Pick<Delivery, 'apply' | 'members'>;
  visibility: Visibility;
}

/** @returns compares the groups that changed after a moment with their rooms here, and lets users in and out */
export function createGroupRooms({ collections, delivery, visibility }: GroupRoomsOptions) {
  const { groups, memberships } = collections;

  const change = (user_id: string, group_id: string, from_seq: number | null) =>
    delivery.apply({ kind: 'membership', user_id, group_id, from_seq });

  async function enter(userIds: string[], groupId: string): Promise<void> {
    const found = await memberships
      .find(
        { user_id: { $in: userIds.map(fromId) }, conversation_id: groupId },
        { projection: { user_id: 1, from_seq: 1 } },
      )
      .toArray();
    for (const membership of found) {
      change(membership.user_id.toHexString(), groupId, visibility.fromSeq(membership));
    }
  }

  return async function compare(since: Date): Promise<void> {
    const users = delivery.members();
    const changed = groups.find(
      { updated_at: { $gt: since } },
      { projection: { members: 1, is_active: 1 }, batchSize: BATCH },
    );
    for await (const { _id, members, is_active } of changed) {
      const groupId = _id.toHexString();
      const inside = new Set(is_active ? members.map((member) => member.toHexString()) : []);
      const missing: string[] = [];
      for (const [userId, joined] of users) {
        if (joined.has(groupId) && !inside.has(userId)) change(userId, groupId, null);
        if (!joined.has(groupId) && inside.has(userId)) missing.push(userId);
      }
      if (missing.length > 0) await enter(missing, groupId);
    }
  };
}
