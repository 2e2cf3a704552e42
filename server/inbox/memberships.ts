/** One document per user and conversation: what is visible, the marks, the personal settings. */
import { ObjectId } from 'mongodb';
import type { Collections } from '../model/collections.ts';
import { isDuplicateKey } from '../model/failures.ts';
import { fromId } from '../model/codec.ts';
import type { GroupPlace } from '../delivery/admission.ts';
import { batched } from '../lib/group-commit.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Visibility } from '../conversations/visibility.ts';

/** Nothing has happened yet: older than any message. */
const LONG_AGO = new Date(0);
/** One answer of the database holds what is asked for: a second round trip only above it. */
const ONE_BATCH = 10_000;

export interface Memberships {
  /**
   * Makes the two documents of a pair and its summary before its first message. Idempotent, so that a crash between
   * them is harmless: a pair in which nothing is written is shown to nobody.
   */
  openPair(conversation: ConversationRef & { kind: 'direct' }): Promise<void>;
  /** The groups that a user is in, with what is visible of each. */
  groupsOf(userId: string): Promise<GroupPlace[]>;
}

export function createMemberships(
  { conversations, memberships, groups }: Collections,
  visibility: Visibility,
  clock: () => Date,
): Memberships {
  const groupsOf = batched(async (userIds: readonly string[]) => {
    const ids = [...new Set(userIds)].map(fromId);
    // Who is in a group is in the group's document alone; where its history begins for whom, in the membership.
    const [found, places] = await Promise.all([
      groups
        .find(
          { members: { $in: ids }, is_active: true },
          { projection: { members: { $setIntersection: [ids, '$members'] } }, batchSize: ONE_BATCH },
        )
        .toArray(),
      memberships
        .find(
          { user_id: { $in: ids }, kind: 'group' },
          { projection: { _id: 0, user_id: 1, conversation_id: 1, from_seq: 1 }, batchSize: ONE_BATCH },
        )
        .toArray(),
    ]);
    const key = (userId: string, groupId: string) => `${userId} ${groupId}`;
    const membershipOf = new Map(
      places.map((membership) => [key(membership.user_id.toHexString(), membership.conversation_id), membership]),
    );
    const byUser = new Map(userIds.map((userId) => [userId, [] as GroupPlace[]]));
    for (const { _id, members } of found) {
      const group_id = _id.toHexString();
      for (const userId of members.map((member) => member.toHexString())) {
        const from_seq = visibility.fromSeq(membershipOf.get(key(userId, group_id)));
        byUser.get(userId)?.push({ group_id, from_seq });
      }
    }
    return userIds.map((userId) => byUser.get(userId)!);
  });

  return {
    async openPair(conversation) {
      const now = clock();
      const [one, other] = conversation.user_ids.map(fromId) as [ObjectId, ObjectId];
      const upsert = (user_id: ObjectId, peer_id: ObjectId) => ({
        updateOne: {
          filter: { user_id, conversation_id: conversation.id },
          update: {
            $setOnInsert: {
              _id: new ObjectId(),
              kind: 'direct' as const,
              peer_id,
              from_seq: 0,
              joined_at: now,
              delivered_seq: 0,
              read_seq: 0,
              shown_read_seq: 0,
              changed_at: now,
            },
          },
          upsert: true,
        },
      });
      try {
        await Promise.all([
          memberships.bulkWrite([upsert(one, other), upsert(other, one)], { ordered: false }),
          conversations.updateOne(
            { _id: conversation.id },
            {
              $setOnInsert: {
                kind: 'direct' as const,
                user_ids: [one, other],
                last_seq: 0,
                rev: 0,
                activity_at: LONG_AGO,
                changed_at: LONG_AGO,
                created_at: now,
              },
            },
            { upsert: true },
          ),
        ]);
      } catch (error) {
        // Another node made them at the same moment.
        if (!isDuplicateKey(error)) throw error;
      }
    },
    groupsOf,
  };
}
