/**
 * How many bytes each user's uploads hold, in one document per user.
 *
 * The uploads themselves are the truth (`recount.ts`). The sums may be too high, where a process died between two
 * writes, but never too low: what comes is added before it is noted, what goes is subtracted after it is gone. Each
 * change is announced in the document while it is under way, so that no recount mixes the times before and after it.
 */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../../model/collections.ts';
import type { Amount } from './amount.ts';

/** A change of a user's sums. */
export interface Change {
  userId: ObjectId;
  /** New for each change. */
  id: ObjectId;
}

export interface Usage {
  /**
   * Adds what is about to be noted, and announces that.
   * @param arrived what was expected of the same upload until now
   * @param limit the most that the sum may be afterwards: for an upload that was expected, the sum of what is
   *   certain; for others, of what is certain or expected
   * @returns false when it would be more, or when nobody has counted this user's uploads yet
   */
  add(change: Change, amount: Amount, arrived: number, limit: number): Promise<boolean>;
  /** Announces that something is about to go. */
  begin(change: Change): Promise<void>;
  /**
   * Ends an announced change.
   * @param freed what is gone
   * @returns false when there is no such change: it was never announced, or this process was taken for dead
   */
  end(change: Change, freed: Amount): Promise<boolean>;
}

/** @param nodeId of this process */
export function createUsage({ upload_usage: usage }: Pick<Collections, 'upload_usage'>, nodeId: string): Usage {
  const announcing = (id: ObjectId) => ({ $push: { changes: { id, node_id: nodeId } } });
  return {
    async add({ userId, id }, { bytes, expected }, arrived, limit) {
      const sum = arrived > 0 ? 'bytes' : 'held';
      const fits = { _id: userId, [sum]: { $lte: limit - bytes - expected } };
      const { matchedCount } = await usage.updateOne(fits, {
        $inc: { bytes, held: bytes + expected - arrived, version: 1 },
        ...announcing(id),
      });
      return matchedCount > 0;
    },
    async begin({ userId, id }) {
      await usage.updateOne({ _id: userId }, { $inc: { version: 1 }, ...announcing(id) });
    },
    async end({ userId, id }, { bytes, expected }) {
      const { matchedCount } = await usage.updateOne(
        { _id: userId, 'changes.id': id },
        { $inc: { bytes: -bytes, held: -bytes - expected, version: 1 }, $pull: { changes: { id } } },
      );
      return matchedCount > 0;
    },
  };
}
