/** The stored subscriptions. Each belongs to the session that named it last. */
import { createHash } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { PushSubscriptionDocument } from '../model/documents/push.ts';
import { isDuplicateKey } from '../model/failures.ts';

/** How many a session has at most. */
const MOST = 5;

/** What a device names. */
export type Named = Pick<PushSubscriptionDocument, 'provider' | 'address' | 'keys' | 'voip_token'>;

export interface SubscriptionStore {
  /**
   * Stores a subscription, or renews the same one, whoever had it. Beyond five of the session the one goes that was named
   * longest ago.
   * @returns its id
   */
  name(named: Named, owner: { userId: ObjectId; sessionId: string }): Promise<ObjectId>;
  /** Those of a session, oldest first. */
  ofSession(sessionId: string): Promise<PushSubscriptionDocument[]>;
  /** @returns whether the session had it */
  remove(id: ObjectId, sessionId: string): Promise<boolean>;
  /** Removes those of sessions that have ended. Repeatable. */
  removeOfSessions(sessionIds: string[]): Promise<void>;
}

export function createSubscriptionStore(
  { push_subscriptions: subscriptions }: Pick<Collections, 'push_subscriptions'>,
  clock: () => Date,
): SubscriptionStore {
  const newestFirst = { named_at: -1, _id: -1 } as const;

  async function trim(session_id: ObjectId): Promise<void> {
    const found = await subscriptions
      .find({ session_id }, { projection: { _id: 1 }, sort: newestFirst, skip: MOST })
      .toArray();
    if (found.length === 0) return;
    await subscriptions.deleteMany({ _id: { $in: found.map(({ _id }) => _id) }, session_id });
  }

  return {
    async name({ provider, address, keys, voip_token }, { userId, sessionId }) {
      const key = keyOf(provider, address);
      const now = clock();
      const session_id = fromId(sessionId);
      const set = { address, session_id, user_id: userId, named_at: now };
      const update = {
        $set: { ...set, ...(keys ? { keys } : {}), ...(voip_token === undefined ? {} : { voip_token }) },
        ...(voip_token === undefined ? { $unset: { voip_token: true as const } } : {}),
        $setOnInsert: { _id: new ObjectId(), provider, created_at: now },
      };
      const write = () =>
        subscriptions.findOneAndUpdate({ key }, update, {
          upsert: true,
          returnDocument: 'after',
          projection: { _id: 1 },
        });
      // Refused where another command inserts it in the same moment: then it is there.
      const stored = await write().catch((error: unknown) => (isDuplicateKey(error) ? write() : Promise.reject(error)));
      await trim(session_id);
      return stored!._id;
    },
    ofSession: (sessionId) =>
      subscriptions
        .find({ session_id: fromId(sessionId) })
        .sort({ created_at: 1, _id: 1 })
        .toArray(),
    async remove(_id, sessionId) {
      const { deletedCount } = await subscriptions.deleteOne({ _id, session_id: fromId(sessionId) });
      return deletedCount === 1;
    },
    async removeOfSessions(sessionIds) {
      await subscriptions.deleteMany({ session_id: { $in: sessionIds.map(fromId) } });
    },
  };
}

function keyOf(provider: string, address: string): string {
  return createHash('sha256').update(`${provider} ${address}`).digest('base64url');
}
