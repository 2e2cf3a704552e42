/** Memberships: one for each user of a pair and each member of a group. */
import { ObjectId } from 'mongodb';
import { fromId } from '../../model/codec.ts';
import { groupRef } from '../../model/conversation-ref.ts';
import type { GroupDocument } from '../../model/documents/groups.ts';
import { batchesOf } from '../batches-of.ts';
import type { Check, CheckContext, Finding } from '../check.ts';

export const groupMemberships: Check = {
  name: 'memberships of groups',
  async *find(context) {
    const { groups } = context.collections;
    for await (const batch of batchesOf(groups.find({ is_active: true }), 50)) {
      for (const group of batch) yield* wrongIn(context, group);
    }
  },
};

/** The group's document says who is in. */
async function* wrongIn(context: CheckContext, group: GroupDocument): AsyncGenerator<Finding> {
  const { memberships } = context.collections;
  const conversation_id = group._id.toHexString();
  const stored = await memberships.find({ conversation_id }).toArray();
  const byUser = new Map(stored.map((one) => [one.user_id.toHexString(), one]));
  for (const user_id of group.members) {
    const membership = byUser.get(user_id.toHexString());
    byUser.delete(user_id.toHexString());
    if (!membership) {
      yield {
        what: `${user_id} in group ${conversation_id}: no membership`,
        repair: () => join(context, group, user_id),
      };
    } else if (membership.left_at) {
      yield {
        what: `${user_id} in group ${conversation_id}: the membership says that they left`,
        repair: () =>
          memberships.updateOne(
            { _id: membership._id, conversation_id, user_id, left_at: membership.left_at! },
            { $unset: { left_at: true }, $set: { changed_at: context.clock() } },
          ),
      };
    }
  }
  for (const { _id, user_id, left_at, joined_at } of byUser.values()) {
    if (left_at) continue;
    const at = context.clock();
    yield {
      what: `${user_id} in group ${conversation_id}: a membership of somebody who is not in it`,
      repair: () =>
        memberships.updateOne(
          { _id, conversation_id, user_id, joined_at, left_at: { $exists: false } },
          { $set: { left_at: at, changed_at: at } },
        ),
    };
  }
}

/** As if added now: where the messages they saw began is lost, and showing too much would be worse than too little. */
async function join({ collections, store, clock }: CheckContext, { _id: group_id }: GroupDocument, user_id: ObjectId) {
  const conversation_id = group_id.toHexString();
  const seq = await store.highest('seq', groupRef(conversation_id));
  const marks = { from_seq: seq, delivered_seq: seq, read_seq: seq, shown_read_seq: seq };
  const at = clock();
  await collections.memberships.updateOne(
    { conversation_id, user_id },
    { $setOnInsert: { _id: new ObjectId(), kind: 'group', group_id, ...marks, joined_at: at, changed_at: at } },
    { upsert: true },
  );
}

export const strayMemberships: Check = {
  name: 'memberships without a group',
  async *find({ collections: { memberships, groups } }) {
    for await (const batch of batchesOf(memberships.find({ kind: 'group' }))) {
      const wanted = [...new Set(batch.map(({ conversation_id }) => conversation_id))];
      const found = await groups.distinct('_id', { _id: { $in: wanted.map(fromId) } });
      const known = new Set(found.map((id) => id.toHexString()));
      for (const { _id, user_id, conversation_id } of batch.filter((one) => !known.has(one.conversation_id))) {
        yield {
          what: `${user_id} in group ${conversation_id}: there is no such group`,
          repair: () => memberships.deleteOne({ _id, conversation_id, user_id }),
        };
      }
    }
  },
};

export const pairMemberships: Check = {
  name: 'memberships of pairs',
  async *find({ collections: { conversations, memberships }, clock }) {
    const pairs = conversations.find({ kind: 'direct', last_seq: { $gt: 0 } });
    for await (const batch of batchesOf(pairs, 200)) {
      const stored = await memberships.find({ conversation_id: { $in: batch.map(({ _id }) => _id) } }).toArray();
      const known = new Set(stored.map(({ conversation_id, user_id }) => `${conversation_id} ${user_id}`));
      for (const { _id: conversation_id, user_ids = [] } of batch) {
        for (const user_id of user_ids.filter((id) => !known.has(`${conversation_id} ${id}`))) {
          const peer_id = user_ids.find((id) => !id.equals(user_id))!;
          yield {
            what: `${user_id} in ${conversation_id}: no membership`,
            repair: () => {
              const marks = { from_seq: 0, delivered_seq: 0, read_seq: 0, shown_read_seq: 0 };
              const at = clock();
              return memberships.updateOne(
                { conversation_id, user_id },
                {
                  $setOnInsert: {
                    _id: new ObjectId(),
                    kind: 'direct',
                    peer_id,
                    ...marks,
                    joined_at: at,
                    changed_at: at,
                  },
                },
                { upsert: true },
              );
            },
          };
        }
      }
    }
  },
};
