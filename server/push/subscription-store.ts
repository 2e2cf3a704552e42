/** The stored subscriptions. Each belongs to the session that named it last. */
import { createHash } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { PushSubscriptionDocument } from '../model/documents/push.ts';
import { isDuplicateKey } from '../model/failures.ts';

/** How many a session has at most. */
const MOST = 5;
/** Users in one query, and subscriptions in one reply. */
const USERS_AT_ONCE = 5000;
const ONE_REPLY = 2000;

/** What a device names. */
export type Named = Pick<PushSubscriptionDocument, 'provider' | 'address' | 'keys' | 'voip_token'>;

export interface SubscriptionStore {
  /**
   * Stores a subscription, or renews the same one, whoever had it. Beyond five in the session, the one that was named
   * longest ago is removed.
   * @returns its id
   */
  name(named: Named, owner: { userId: ObjectId; sessionId: string }): Promise<ObjectId>;
  /** Those of users. */
  ofUsers(userIds: string[]): Promise<PushSubscriptionDocument[]>;
  /** Whether there is any at all. */
  isAny(): Promise<boolean>;
  /** Those of a session, oldest first. */
  ofSession(sessionId: string): Promise<PushSubscriptionDocument[]>;
  /** @returns whether the session had it */
  remove(id: ObjectId, sessionId: string): Promise<boolean>;
  /** Removes those of sessions that have ended. Repeatable. @returns their ids */
  removeOfSessions(sessionIds: string[]): Promise<ObjectId[]>;
}

export function createSubscriptionStore(
  { push_subscriptions: subscriptions, users }: Pick<Collections, 'push_subscriptions' | 'users'>,
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
      // First: acknowledgements that are noted without need harm nobody.
      await users.updateOne({ _id: userId, uses_push: { $exists: false } }, { $set: { uses_push: true } });
      const key = keyOf(provider, address);
      const now = clock();
      const session_id = fromId(sessionId);
      const set = { address, session_id, user_id: userId, named_at: now };
      const update = {
        $set: { ...set, ...(keys ? { keys } : {}), ...(voip_token === undefined ? {} : { voip_token }) },
        ...(voip_token === undefined ? { $unset: { voip_token: true as const } } : {}),
        $setOnInsert: { _id: new ObjectId(), provider, created_at: now },
      };
      const options = { returnDocument: 'after', projection: { _id: 1 } } as const;
      const { $setOnInsert: _, ...renewal } = update;
      const write = async () =>
        (await subscriptions.findOneAndUpdate({ key, session_id }, renewal, options)) ??
        (await subscriptions.findOneAndUpdate(
          { key },
          { ...update, $set: { ...update.$set, since: now } },
          { ...options, upsert: true },
        ));
      // Refused where another command inserts it in the same moment: then it is there.
      const stored = await write().catch((error: unknown) => (isDuplicateKey(error) ? write() : Promise.reject(error)));
      await trim(session_id);
      return stored!._id;
    },
    async ofUsers(userIds) {
      const found: PushSubscriptionDocument[] = [];
      for (let from = 0; from < userIds.length; from += USERS_AT_ONCE) {
        const some = userIds.slice(from, from + USERS_AT_ONCE).map(fromId);
        const options = { projection: { keys: 0 }, batchSize: ONE_REPLY };
        found.push(...(await subscriptions.find({ user_id: { $in: some } }, options).toArray()));
      }
      return found;
    },
    isAny: async () => (await subscriptions.findOne({}, { projection: { _id: 1 } })) !== null,
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
      const ofThem = { session_id: { $in: sessionIds.map(fromId) } };
      const found = await subscriptions.find(ofThem, { projection: { _id: 1 } }).toArray();
      if (found.length > 0) await subscriptions.deleteMany(ofThem);
      return found.map(({ _id }) => _id);
    },
  };
}

function keyOf(provider: string, address: string): string {
  return createHash('sha256').update(`${provider} ${address}`).digest('base64url');
}
