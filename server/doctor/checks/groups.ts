/** What a group's document says of itself. */
import type { ObjectId } from 'mongodb';
import type { GroupDocument } from '../../model/documents/groups.ts';
import type { Check } from '../check.ts';

export const groups: Check = {
  name: 'groups',
  async *find({ collections: { groups, users }, clock }) {
    for await (const group of groups.find({ is_active: true })) {
      const { _id, members, admins } = group;
      const active = await users.distinct('_id', { _id: { $in: members }, is_active: true });
      const truth = { members: distinct(members), ...rightsOf(group, active) };
      const wrong = whatDiffers(group, truth);
      if (wrong === undefined) continue;
      yield {
        what: `group ${_id}: ${wrong}`,
        repair: () =>
          groups.updateOne(
            { _id, is_active: true, members: { $eq: members }, admins: { $eq: admins } },
            { $set: { ...truth, is_active: members.length > 0, updated_at: clock() }, $inc: { version: 1 } },
          ),
      };
    }
  },
};

/** Only members are admins; where no admin is active, the longest-standing active member is. */
function rightsOf({ members, admins }: GroupDocument, active: ObjectId[]): { admins: ObjectId[] } {
  const kept = distinct(admins).filter((admin) => includes(members, admin));
  if (kept.some((admin) => includes(active, admin))) return { admins: kept };
  const successor = members.find((member) => includes(active, member));
  return { admins: successor ? [...kept, successor] : kept };
}

function whatDiffers(group: GroupDocument, truth: Pick<GroupDocument, 'members' | 'admins'>): string | undefined {
  if (group.members.length === 0) return 'nobody is in it';
  if (group.members.length !== truth.members.length) return 'a member is in it twice';
  if (truth.admins.length > group.admins.length) return 'no admin is active';
  if (truth.admins.length < group.admins.length) return 'an admin is no member, or is one twice';
  return truth.admins.every((admin) => includes(group.admins, admin)) ? undefined : 'its admins are no members';
}

const includes = (ids: readonly ObjectId[], id: ObjectId) => ids.some((one) => one.equals(id));

function distinct(ids: readonly ObjectId[]): ObjectId[] {
  return [...new Map(ids.map((id) => [id.toHexString(), id])).values()];
}
