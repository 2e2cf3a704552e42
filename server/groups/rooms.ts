/**
 * Orders to all nodes about who receives what is sent to a group. If a member is removed and added again at the same
 * moment, the two orders may reach a node the wrong way round. So after each order its sender reads the group's document
 * and, if that says otherwise, sends the right order: whoever reads last sees the last change.
 */
import type { Bus } from '../bus/bus.ts';
import { createFromSeqs } from '../conversations/from-seqs.ts';
import type { Visibility } from '../conversations/visibility.ts';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';

export interface Rooms {
  /** From now on the users receive what lies above `fromSeq`. Resolves when the order is known to be right. */
  joined(groupId: string, userIds: string[], fromSeq: number): Promise<void>;
  /** From now on the users receive nothing more. Resolves when the order is known to be right. */
  left(groupId: string, userIds: string[]): Promise<void>;
}

export function createRooms(
  collections: Pick<Collections, 'groups' | 'memberships'>,
  bus: Bus,
  visibility: Visibility,
): Rooms {
  const { groups } = collections;
  const readFromSeqs = createFromSeqs(collections, visibility);

  async function readMembers(groupId: string): Promise<Set<string>> {
    const group = await groups.findOne({ _id: fromId(groupId), is_active: true }, { projection: { members: 1 } });
    return new Set(group?.members.map((member) => member.toHexString()));
  }

  return {
    async joined(groupId, userIds, fromSeq) {
      const from = visibility.fromSeq({ from_seq: fromSeq });
      for (const userId of userIds) bus.joined(userId, groupId, from);
      const members = await readMembers(groupId);
      for (const userId of userIds) if (!members.has(userId)) bus.left(userId, groupId);
    },
    async left(groupId, userIds) {
      for (const userId of userIds) bus.left(userId, groupId);
      const members = await readMembers(groupId);
      const back = userIds.filter((userId) => members.has(userId));
      if (back.length === 0) return;
      for (const [userId, fromSeq] of await readFromSeqs(groupId, back)) bus.joined(userId, groupId, fromSeq);
    },
  };
}
