/**
 * The jobs: one document for each subscription and subject, so that what is pushed of a subject keeps its order, and what
 * waits collapses into the newest. A claim is a lease: the job of a node that dies becomes due again.
 */
import { randomUUID } from 'node:crypto';
import type { Document, ObjectId } from 'mongodb';
import { upsertEach } from '../../model/batches.ts';
import type { Collections } from '../../model/collections.ts';
import type { PushJobDocument, PushSubscriptionDocument } from '../../model/documents/push.ts';
import type { Noted, Shown } from '../decide/decision.ts';

/** How long a node has for a job: longer than an attempt takes. In milliseconds. */
const LEASE_MS = 30_000;
/** How long the store remembers what a device was told: as long as providers keep a push. */
const KEPT_MS = 28 * 86_400_000;

/** Jobs in one write. */
const BATCH = 1000;

/** A reason to look. */
export interface Knock {
  subscription: Pick<PushSubscriptionDocument, '_id' | 'session_id' | 'user_id' | 'provider'>;
  lane: string;
  kind: PushJobDocument['kind'];
  subject: string;
  dueAt: Date;
  rev?: number;
}

/** What a user has read: a conversation, or a thread by the message that it hangs on. */
export type ReadPlace = { userId: PushJobDocument['user_id'] } & ({ conversationId: string } | { rootId: ObjectId });

export interface PushJobStore {
  /** Has jobs looked at no later than they say, unless one is being worked on or waits for its provider. Repeatable. */
  knock(knocks: readonly Knock[]): Promise<void>;
  /** Schedules an immediate look at what a user's devices show of conversations, or threads. */
  knockShown(read: readonly ReadPlace[]): Promise<void>;
  /**
   * Claims jobs that are due, oldest first.
   * @param roomOf how many more jobs of a lane may be claimed
   * @param full lanes without room
   */
  claim(most: number, full: string[], roomOf: (lane: string) => number): Promise<PushJobDocument[]>;
  /** Ends a job, or has it looked at again: at once if there was a reason since it was claimed. */
  done(job: PushJobDocument, noted: Noted, lookAt?: Date): Promise<void>;
  /** Schedules a later look at a job; an attempt has failed where `failed` says so. */
  postpone(job: PushJobDocument, dueAt: Date, failed?: Partial<Shown>): Promise<void>;
  /** Removes jobs that this node has claimed. */
  remove(claimed: readonly PushJobDocument[]): Promise<void>;
  /** Removes the jobs of subscriptions. */
  removeOf(subscriptionIds: PushJobDocument['subscription_id'][]): Promise<void>;
  /** How many jobs wait, and since when the oldest does. */
  waiting(): Promise<{ count: number; since: Date | undefined }>;
}

export function createPushJobStore(
  { push_jobs: jobs }: Pick<Collections, 'push_jobs'>,
  clock: () => Date,
): PushJobStore {
  const after = (ms: number) => new Date(clock().getTime() + ms);

  async function candidates(most: number, full: string[], roomOf: (lane: string) => number) {
    const found = await jobs
      .find(
        { due_at: { $lte: clock() }, ...(full.length > 0 ? { lane: { $nin: full } } : {}) },
        { projection: { lane: 1 }, sort: { due_at: 1 }, limit: most, batchSize: most + 1 },
      )
      .toArray();
    const taken = new Map<string, number>();
    return found.filter(({ lane }) => {
      const before = taken.get(lane) ?? 0;
      taken.set(lane, before + 1);
      return before < roomOf(lane);
    });
  }

  return {
    async knock(knocks) {
      for (let from = 0; from < knocks.length; from += BATCH) {
        const some = knocks.slice(from, from + BATCH);
        await upsertEach(
          jobs,
          some.map((one) => ({ filter: { _id: idOf(one) }, update: knockUpdate(one, after(KEPT_MS)) })),
        );
      }
    },
    async knockShown(read) {
      await jobs.bulkWrite(
        read.map(({ userId, ...place }) => ({
          updateMany: {
            filter: {
              user_id: userId,
              shown: { $exists: true },
              ...('rootId' in place ? { shown_thread: place.rootId } : { subject: place.conversationId }),
            },
            update: [{ $set: { knocks: { $add: ['$knocks', 1] }, due_at: sooner(clock()) } }],
          },
        })),
        { ordered: false },
      );
    },
    async claim(most, full, roomOf) {
      const ids = (await candidates(most, full, roomOf)).map(({ _id }) => _id);
      if (ids.length === 0) return [];
      const claim = randomUUID();
      await jobs.updateMany(
        { _id: { $in: ids }, due_at: { $lte: clock() } },
        { $set: { claim, due_at: after(LEASE_MS) }, $inc: { claims: 1 } },
      );
      return jobs.find({ _id: { $in: ids }, claim }, { batchSize: ids.length + 1 }).toArray();
    },
    async done(job, noted, lookAt) {
      const hasNews = { $gt: ['$knocks', job.knocks] };
      const now = clock();
      await jobs.updateOne({ _id: job._id, claim: job.claim! }, [
        {
          $set: {
            ...fieldsOf(noted),
            claim: null,
            claims: 0,
            attempts: 0,
            failing_since: '$$REMOVE',
            due_at: { $cond: [hasNews, now, lookAt ?? '$$REMOVE'] },
            waits_since: { $cond: [hasNews, now, '$$REMOVE'] },
          },
        },
      ]);
    },
    async postpone(job, dueAt, failed) {
      const { attempts, failing_since = clock() } = job;
      await jobs.updateOne({ _id: job._id, claim: job.claim! }, [
        {
          $set: {
            claim: null,
            claims: 0,
            due_at: dueAt,
            ...(failed ? { ...fieldsOf(failed), attempts: attempts + 1, failing_since } : {}),
          },
        },
      ]);
    },
    async remove(claimed) {
      await jobs.deleteMany({
        _id: { $in: claimed.map(({ _id }) => _id) },
        claim: { $in: claimed.map((job) => job.claim!) },
      });
    },
    async removeOf(subscriptionIds) {
      if (subscriptionIds.length === 0) return;
      await jobs.deleteMany({ subscription_id: { $in: subscriptionIds } });
    },
    async waiting() {
      const some = { waits_since: { $exists: true } };
      const [count, oldest] = await Promise.all([
        jobs.countDocuments(some, { hint: 'waiting' }),
        jobs.findOne(some, { projection: { waits_since: 1 }, sort: { waits_since: 1 } }),
      ]);
      return { count, since: oldest?.waits_since };
    },
  };
}

/** For a `$set` of a pipeline: undefined takes a field away. */
function fieldsOf(noted: Noted): Document {
  return Object.fromEntries(Object.entries(noted).map(([name, value]) => [name, value ?? '$$REMOVE']));
}

function idOf({ subscription: { _id, session_id }, kind, subject }: Knock): string {
  return `${_id.toHexString()} ${session_id.toHexString()} ${kind} ${subject}`;
}

function knockUpdate({ subscription, lane, kind, subject, dueAt, rev }: Knock, expires_at: Date): Document[] {
  const { _id: subscription_id, session_id, user_id, provider } = subscription;
  return [
    {
      $set: {
        ...{ subscription_id, session_id, user_id, kind, provider, expires_at },
        subject: { $literal: subject },
        lane: { $literal: lane },
        knocks: { $add: [{ $ifNull: ['$knocks', 0] }, 1] },
        attempts: { $ifNull: ['$attempts', 0] },
        ...(rev === undefined ? {} : { rev: { $max: ['$rev', rev] } }),
        due_at: sooner(dueAt),
        waits_since: { $ifNull: ['$waits_since', dueAt] },
      },
    },
  ];
}

/** When a job is due after a knock: whoever works on it looks again afterwards, and a provider's time to wait holds. */
function sooner(dueAt: Date): Document {
  const isBusy = { $or: [{ $ne: [{ $ifNull: ['$claim', null] }, null] }, { $gt: [{ $ifNull: ['$attempts', 0] }, 0] }] };
  return { $cond: [isBusy, { $ifNull: ['$due_at', dueAt] }, { $min: ['$due_at', dueAt] }] };
}
