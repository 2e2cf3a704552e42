/**
 * Reactions beyond those that a message names: they are counted there and kept here, so that the message does not grow
 * with its audience, and a repeat or a removal is still known.
 */
import type { ObjectId } from 'mongodb';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import { insertOnce } from '../model/insert-once.ts';

export interface CountedReactions {
  /**
   * Notes that a user adds or removes one. Repeatable: where a crash keeps the count from the message, the next change
   * of that emoji brings it.
   * @param emoji as the message has it
   */
  change(messageId: ObjectId, emoji: string, userId: ObjectId, remove: boolean): Promise<void>;
  /** How many there are of an emoji. */
  count(messageId: ObjectId, emoji: string): Promise<number>;
  /** Forgets those of a message that was deleted. */
  forget(messageId: string): Promise<void>;
}

export function createCountedReactions({
  counted_reactions,
}: Pick<Collections, 'counted_reactions'>): CountedReactions {
  return {
    async change(message_id, emoji, user_id, remove) {
      const _id = `${message_id} ${user_id} ${emoji}`;
      if (remove) await counted_reactions.deleteOne({ _id, message_id });
      else await insertOnce(counted_reactions, { _id, message_id, emoji });
    },
    count: (message_id, emoji) => counted_reactions.countDocuments({ message_id, emoji }),
    async forget(messageId) {
      await counted_reactions.deleteMany({ message_id: fromId(messageId) });
    },
  };
}
