/** Invitations to groups, and those who ask to join. */
import { keyOf } from '../../groups/invitations/invites.ts';
import type { GroupDocument } from '../../model/documents/groups.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check, CheckContext } from '../check.ts';

export const inviteKeys: Check = {
  name: 'keys of invitations',
  async *find({ collections: { groups } }) {
    const some = groups.find({ $or: [{ invites: { $exists: true } }, { invite_keys: { $exists: true } }] });
    for await (const { _id, invites = {}, invite_keys } of some) {
      const wanted = Object.entries(invites).flatMap(([id, { code }]) => [id, keyOf(code)]);
      const stored = new Set(invite_keys);
      if (stored.size === wanted.length && wanted.every((key) => stored.has(key))) continue;
      yield {
        what: `group ${_id}: its invitations cannot be found by their codes, or others can`,
        repair: () =>
          groups.updateOne({ _id, invite_keys: invite_keys ?? { $exists: false } }, { $set: { invite_keys: wanted } }),
      };
    }
  },
};

export const joinRequests: Check = {
  name: 'requests to join',
  async *find(context) {
    const { join_requests } = context.collections;
    for await (const batch of batchesOf(join_requests.find())) {
      const groups = await groupsOf(context, batch);
      const users = await usersOf(context, batch);
      for (const { _id, group_id, user_id } of batch) {
        const group = groups.get(group_id.toHexString());
        const problem = !group?.is_active
          ? 'there is no such group'
          : !users.has(user_id.toHexString())
            ? 'there is no such user'
            : group.members.some((member) => member.equals(user_id))
              ? 'who asks is in it already'
              : undefined;
        if (!problem) continue;
        yield {
          what: `request of ${user_id} to join group ${group_id}: ${problem}`,
          repair: () => join_requests.deleteOne({ _id, group_id, user_id }),
        };
      }
    }
  },
};

type Asked = { group_id: GroupDocument['_id']; user_id: GroupDocument['_id'] };

async function groupsOf({ collections: { groups } }: CheckContext, batch: Asked[]) {
  const found = await groups
    .find({ _id: { $in: batch.map(({ group_id }) => group_id) } }, { projection: { members: 1, is_active: 1 } })
    .toArray();
  return new Map(found.map((group) => [group._id.toHexString(), group]));
}

async function usersOf({ collections: { users } }: CheckContext, batch: Asked[]): Promise<Set<string>> {
  const found = await users.distinct('_id', { _id: { $in: batch.map(({ user_id }) => user_id) }, is_active: true });
  return new Set(found.map((id) => id.toHexString()));
}
