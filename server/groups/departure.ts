import type { ObjectId } from 'mongodb';

/**
 * Takes a member out of a group in one atomic step (an update with an aggregation pipeline): the last admin hands over
 * to the longest-standing member, an empty group becomes inactive (PROTOCOL section 7).
 * @param deactivated members whose accounts are: they neither count as admins nor take over, for nobody acts for them
 */
export function withoutMember(user: ObjectId, at: Date, deactivated: ObjectId[]): object[] {
  const without = (field: string) => ({ $filter: { input: `$${field}`, cond: { $ne: ['$$this', user] } } });
  const active = (field: string) => ({
    $filter: { input: `$${field}`, cond: { $not: { $in: ['$$this', deactivated] } } },
  });
  return [
    { $set: { members: without('members'), admins: without('admins'), updated_at: { $max: ['$updated_at', at] } } },
    {
      $set: {
        admins: {
          $cond: [
            { $eq: [active('admins'), []] },
            // Members are in the order of joining.
            { $concatArrays: ['$admins', { $slice: [active('members'), 1] }] },
            '$admins',
          ],
        },
        is_active: { $ne: ['$members', []] },
      },
    },
  ];
}
