/**
 * Tells the nodes who receives what is sent to a group. Of two changes of one member (removed and added again) the
 * orders may arrive the wrong way round, from one node or two; so whoever gave an order looks at the group's document
 * afterwards and, where that says otherwise, gives the right one: the last to look sees the last change.
 */
import type { Collections } from '../model/collections.ts';
import { fromId } from '../model/codec.ts';
import type { Bus } from '../bus/bus.ts';
import type { Visibility } from '../conversations/visibility.ts';

export interface Rooms {
  /** From now on the users receive what lies above `fromSeq`. Resolves when the order is known to be the right one. */
  joined(groupId: string, userIds: string[], fromSeq: number): Promise<void>;
  /** From now on the users receive nothing more. Resolves when the order is known to be the right one. */
  left(groupId: string, userIds: string[]): Promise<void>;
}

export function createRooms(
  { groups, memberships }: Pick<Collections, 'groups' | 'memberships'>,
  bus: Bus,
  visibility: Visibility,
): Rooms {
  async function members(groupId: string): Promise<Set<string>> {
    const group = await groups.findOne({ _id: fromId(groupId), is_active: true }, { projection: { members: 1 } });
    return new Set(group?.members.map((member) => member.toHexString()));
  }

  async function letIn(groupId: string, userIds: string[]): Promise<void> {
    const places = await memberships
      .find(
        { user_id: { $in: userIds.map(fromId) }, conversation_id: groupId },
        { projection: { user_id: 1, from_seq: 1 } },
      )
      .toArray();
    for (const membership of places) {
      bus.joined(membership.user_id.toHexString(), groupId, visibility.fromSeq(membership));
    }
  }

  return {
    async joined(groupId, userIds, fromSeq) {
      const from = visibility.fromSeq({ from_seq: fromSeq });
      for (const userId of userIds) bus.joined(userId, groupId, from);
      const now = await members(groupId);
      for (const userId of userIds) if (!now.has(userId)) bus.left(userId, groupId);
    },
    async left(groupId, userIds) {
      for (const userId of userIds) bus.left(userId, groupId);
      const now = await members(groupId);
      const back = userIds.filter((userId) => now.has(userId));
      if (back.length > 0) await letIn(groupId, back);
    },
  };
}
