/**
 * How many groups a user may be in (PROTOCOL section 10). Memberships are counted first, by their index alone: after a
 * crash they may be more than the groups that let the user in, hardly ever fewer. Where that comes near the limit, the
 * groups themselves are counted, and on this node one command at a time does so and then writes. So a user exceeds the
 * limit by no more than the number of other nodes that added the same user at the same moment.
 */
import type { ObjectId } from 'mongodb';
import { conflict } from '../lib/errors.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';
import type { Collections } from '../model/collections.ts';

export const MAX_GROUPS = 1000;
/** From this many memberships on, the groups themselves are counted. */
const NEAR_LIMIT = 950;

/** @throws ContractError `conflict` if one of the users is in as many groups as one may be */
export type AssertRoom = (users: ObjectId[]) => Promise<void>;

export interface GroupLimit {
  /**
   * Does work that puts users into a group.
   * @param users all who may be put into it
   * @param work asks for those who are, before it writes
   */
  entering<R>(users: ObjectId[], work: (assertRoom: AssertRoom) => Promise<R>): Promise<R>;
}

export function createGroupLimit({ groups, memberships }: Pick<Collections, 'groups' | 'memberships'>): GroupLimit {
  const queue = createKeyedQueue('group limits');

  async function findNearLimit(users: ObjectId[]): Promise<Set<string>> {
    const found = await memberships
      .aggregate<{ _id: ObjectId }>([
        { $match: { user_id: { $in: users }, kind: 'group', left_at: { $exists: false } } },
        { $project: { _id: 0, user_id: 1 } },
        { $group: { _id: '$user_id', count: { $sum: 1 } } },
        { $match: { count: { $gte: NEAR_LIMIT } } },
      ])
      .toArray();
    return new Set(found.map(({ _id }) => _id.toHexString()));
  }

  const hasRoom = async (user: ObjectId) =>
    (await groups.countDocuments({ members: user, is_active: true }, { limit: MAX_GROUPS })) < MAX_GROUPS;

  return {
    async entering(users, work) {
      const near = await findNearLimit(users);
      if (near.size === 0) return work(async () => {});
      return queue.run('near the limit', () =>
        work(async (added) => {
          const counted = added.filter((user) => near.has(user.toHexString()));
          const rooms = await Promise.all(counted.map(hasRoom));
          if (rooms.includes(false)) throw conflict(`a user is in ${MAX_GROUPS} groups already`);
        }),
      );
    },
  };
}
