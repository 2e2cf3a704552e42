/** One document per user and conversation: what is visible, the marks, the personal settings. */
import { ObjectId } from 'mongodb';
import type { Collections } from '../database/collections.ts';
import { isDuplicateKey } from '../database/failures.ts';
import { fromId } from '../database/wire.ts';
import type { GroupPlace } from '../fanout/delivery.ts';
import type { ConversationRef } from '../fanout/operations.ts';

export interface Memberships {
  /** Makes the two documents of a pair before its first message. Idempotent, so that a crash between them is harmless. */
  openPair(conversation: ConversationRef & { kind: 'direct' }): Promise<void>;
  /** The groups that a user is in, with what is visible of each. */
  groupsOf(userId: string): Promise<GroupPlace[]>;
}

/** @param historyAll whether new members see a group's history from before their joining */
export function createMemberships({ memberships }: Collections, historyAll: boolean, clock: () => Date): Memberships {
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
        await memberships.bulkWrite([upsert(one, other), upsert(other, one)], { ordered: false });
      } catch (error) {
        // Another node made them at the same moment.
        if (!isDuplicateKey(error)) throw error;
      }
    },
    async groupsOf(userId) {
      const found = await memberships
        .find(
          { user_id: fromId(userId), kind: 'group', left_at: { $exists: false } },
          { projection: { _id: 0, conversation_id: 1, from_seq: 1 } },
        )
        .toArray();
      return found.map(({ conversation_id, from_seq }) => ({
        group_id: conversation_id,
        from_seq: historyAll ? 0 : from_seq,
      }));
    },
  };
}
