/** Brings the rooms of groups in line with their members when this node may not have been told of changes. */
import { createFromSeqs } from '../../conversations/from-seqs.ts';
import type { Visibility } from '../../conversations/visibility.ts';
import type { Collections } from '../../model/collections.ts';
import type { Delivery } from '../delivery.ts';

/** Documents in one answer of the database. */
const BATCH = 2000;

export interface GroupRoomsOptions {
  collections: Pick<Collections, 'groups' | 'memberships'>;
  delivery: Pick<Delivery, 'apply' | 'members'>;
  visibility: Visibility;
}

/** @returns a function that compares groups changed after a moment with their rooms here, and lets users in and out */
export function createGroupRooms({ collections, delivery, visibility }: GroupRoomsOptions) {
  const { groups } = collections;
  const readFromSeqs = createFromSeqs(collections, visibility);

  const change = (user_id: string, group_id: string, from_seq: number | null) =>
    delivery.apply({ kind: 'membership', user_id, group_id, from_seq });

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
      if (missing.length === 0) continue;
      for (const [userId, fromSeq] of await readFromSeqs(groupId, missing)) change(userId, groupId, fromSeq);
    }
  };
}
