/** What is true of the subscriptions of jobs now: whose they are, and whether anything is to be pushed to them at all. */
import type { ObjectId } from 'mongodb';
import type { Collections } from '../../model/collections.ts';
import type { UserDocument } from '../../model/documents/accounts.ts';
import type { PushJobDocument } from '../../model/documents/push.ts';
import type { Situation } from './decision.ts';

export interface SituationSources {
  collections: Pick<Collections, 'push_subscriptions' | 'sessions' | 'users'>;
  /** The sessions among those of the users that have a connection. */
  connectedOf(userIds: string[]): Promise<Pick<Set<string>, 'has'>>;
  clock(): Date;
}

export interface Situations {
  there: Situation[];
  /** Jobs without a subscription that still belongs to their session. */
  orphans: PushJobDocument[];
  /** Jobs whose session has ended. */
  ended: PushJobDocument[];
}

/** Reads the situations of jobs by four look-ups, however many. */
export async function readSituations(
  { collections, connectedOf, clock }: SituationSources,
  jobs: readonly PushJobDocument[],
): Promise<Situations> {
  const { push_subscriptions, sessions, users } = collections;
  const userIds = distinct(jobs.map(({ user_id }) => user_id));
  const all = { batchSize: jobs.length + 1 };
  const [subscriptions, live, owners, connected] = await Promise.all([
    push_subscriptions.find({ _id: { $in: distinct(jobs.map((job) => job.subscription_id)) } }, all).toArray(),
    sessions
      .find(
        {
          _id: { $in: distinct(jobs.map(({ session_id }) => session_id)) },
          revoked_at: { $exists: false },
          expires_at: { $gt: clock() },
        },
        { projection: { _id: 1 }, ...all },
      )
      .toArray(),
    users
      .find<Pick<UserDocument, '_id' | 'settings'>>(
        { _id: { $in: userIds }, is_active: true },
        { projection: { settings: 1 }, ...all },
      )
      .toArray(),
    connectedOf(userIds.map((id) => id.toHexString())),
  ]);
  const subscriptionOf = new Map(subscriptions.map((one) => [one._id.toHexString(), one]));
  const liveIds = new Set(live.map(({ _id }) => _id.toHexString()));
  const settingsOf = new Map(owners.map(({ _id, settings }) => [_id.toHexString(), settings]));

  const found: Situations = { there: [], orphans: [], ended: [] };
  for (const job of jobs) {
    const subscription = subscriptionOf.get(job.subscription_id.toHexString());
    const sessionId = job.session_id.toHexString();
    const settings = settingsOf.get(job.user_id.toHexString());
    if (!subscription?.session_id.equals(job.session_id)) found.orphans.push(job);
    else if (!settings || !liveIds.has(sessionId)) found.ended.push(job);
    else {
      const wantsPush = settings.notifications_enabled !== false;
      found.there.push({ job, subscription, wantsPush, isConnected: connected.has(sessionId) });
    }
  }
  return found;
}

function distinct(ids: readonly ObjectId[]): ObjectId[] {
  return [...new Map(ids.map((id) => [id.toHexString(), id])).values()];
}
