import type { ObjectId } from 'mongodb';

/**
 * The update that takes a member out of a group. It is an aggregation pipeline, so that leaving, handing over from the
 * last admin to the longest-standing member, and ending an empty group are one atomic step (PROTOCOL section 7).
 * @param user who leaves
 * @param at when
 * @param deactivated members whose accounts are deactivated: they neither count as admins nor take over, because nobody
 * acts for them
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
