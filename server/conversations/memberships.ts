/** One document per user and conversation: what is visible, the marks, the personal settings. */
import { ObjectId } from 'mongodb';
import type { Collections } from '../database/collections.ts';
import { isDuplicateKey } from '../database/failures.ts';
import { fromId } from '../database/wire.ts';
import type { GroupPlace } from '../fanout/delivery.ts';
import type { ConversationRef } from '../fanout/operations.ts';

/** Nothing has happened yet: older than any message. */
const LONG_AGO = new Date(0);

export interface Memberships {
  /**
   * Makes the two documents of a pair and its summary before its first message. Idempotent, so that a crash between
   * them is harmless: a pair in which nothing is written is shown to nobody.
   */
  openPair(conversation: ConversationRef & { kind: 'direct' }): Promise<void>;
  /** The groups that a user is in, with what is visible of each. */
  groupsOf(userId: string): Promise<GroupPlace[]>;
}

/** @param historyAll whether new members see a group's history from before their joining */
export function createMemberships(
  { conversations, memberships, groups }: Collections,
  historyAll: boolean,
  clock: () => Date,
): Memberships {
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
    async groupsOf(userId) {
      const user_id = fromId(userId);
      // Who is in a group is in the group's document alone; where its history begins for whom, in the membership.
      const [found, places] = await Promise.all([
        groups.find({ members: user_id, is_active: true }, { projection: { _id: 1 } }).toArray(),
        memberships
          .find({ user_id, kind: 'group' }, { projection: { _id: 0, conversation_id: 1, from_seq: 1 } })
          .toArray(),
      ]);
      const fromSeq = new Map(places.map((place) => [place.conversation_id, place.from_seq]));
      return found.map(({ _id }) => {
        const group_id = _id.toHexString();
        return { group_id, from_seq: historyAll ? 0 : (fromSeq.get(group_id) ?? Number.MAX_SAFE_INTEGER) };
      });
    },
  };
}
