import type { ObjectId } from 'mongodb';

/**
 * Takes a member out of a group in one atomic step (an update with an aggregation pipeline): the last admin hands over
 * to the longest-standing member, an empty group becomes inactive (PROTOCOL section 7).
 */
export function withoutMember(user: ObjectId, at: Date): object[] {
  const without = (field: string) => ({ $filter: { input: `$${field}`, cond: { $ne: ['$$this', user] } } });
  return [
    { $set: { members: without('members'), admins: without('admins'), updated_at: { $max: ['$updated_at', at] } } },
    {
      $set: {
        // Members are in the order of joining.
        admins: { $cond: [{ $eq: ['$admins', []] }, { $slice: ['$members', 1] }, '$admins'] },
        is_active: { $ne: ['$members', []] },
      },
    },
  ];
}
