/** What becomes of groups whose last admin deactivates the account. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import { fromId } from '../model/codec.ts';
import type { Bus } from '../bus/bus.ts';
import { stateOf } from '../model/state.ts';
import { toWireGroup } from '../model/views/group.ts';

/**
 * Lets the longest-standing active member become an admin too wherever a user was the last one with an active account.
 * The user stays a member, as messages stay. Idempotent.
 */
export async function succeedAdmin(
  { groups, users }: Pick<Collections, 'groups' | 'users'>,
  bus: Bus,
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
    const group = await groups.findOneAndUpdate(
      { _id, is_active: true, members: successor, admins: { $eq: admins } },
      { $push: { admins: successor }, $max: { updated_at: at }, $inc: { version: 1 } },
      { returnDocument: 'after' },
    );
    if (!group) continue;
    const news = {
      group: toWireGroup(group),
      reason: 'admins_changed' as const,
      actor_id: userId,
      user_ids: [successor.toHexString()],
    };
    bus.emit({ group: news.group._id }, 'group:updated', news, undefined, stateOf('group', group._id, group.version));
  }
}
