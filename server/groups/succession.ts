/** Who takes over groups whose last admin deactivates the account. */
import type { ObjectId } from 'mongodb';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { GroupDocument } from '../model/documents/groups.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import type { AnnounceGroup } from './announcement.ts';
import type { GroupEvent } from './change.ts';

/**
 * Makes the longest-standing active member an admin too, in every group in which the user was the last admin with an
 * active account. The user stays a member, as messages stay. Idempotent.
 * @param userId whose account was deactivated
 * @param at when
 */
export async function succeedAdmin(
  { groups, users }: Pick<Collections, 'groups' | 'users'>,
  outbox: OutboxSource<GroupDocument>,
  announce: AnnounceGroup,
  userId: string,
  at: Date,
): Promise<void> {
  const user = fromId(userId);
  const found = await groups
    .find({ members: user, is_active: true, admins: user }, { projection: { members: 1, admins: 1 } })
    .toArray();
  const everyone = found.flatMap(({ members }) => members).filter((member) => !member.equals(user));
  const active = new Set(
    (await users.find({ _id: { $in: everyone }, is_active: true }, { projection: { _id: 1 } }).toArray()).map(
      ({ _id }) => _id.toHexString(),
    ),
  );
  const isActive = (member: ObjectId) => active.has(member.toHexString());
  for (const { _id, members, admins } of found) {
    const successor = members.find(isActive);
    if (!successor || admins.some(isActive)) continue;
    const news: GroupEvent = { reason: 'admins_changed', actor_id: user, user_ids: [successor] };
    const group = await outbox.change(
      { _id, is_active: true, members: successor, admins: { $eq: admins } },
      { $push: { admins: successor }, $max: { updated_at: at }, $inc: { version: 1 } },
      news,
    );
    if (!group) continue;
    const actor = { id: userId, socketId: undefined };
    announce(actor, group, { reason: 'admins_changed', userIds: [successor.toHexString()] });
  }
}
