/** Jobs as documents: claimed by one conditional update, settled by whoever holds the newest claim. */
import type { Collection } from 'mongodb';
import { upsert } from '../model/batches.ts';
import type { JobDocument } from '../model/documents/cluster.ts';

export type JobPayload = JobDocument['payload'];

export interface JobStore {
  /** Stores a job that is due then, unless one of this kind and key is stored already. */
  add(kind: string, key: string, payload: JobPayload, dueAt: Date): Promise<void>;
  /** Claims the job of these kinds that is due first; null where none is due. */
  claim(kinds: string[]): Promise<JobDocument | null>;
  /** When the job that has been due longest, of any kind, became due; undefined where none is due. */
  oldestDue(): Promise<Date | undefined>;
  /** Removes a job, if it was not claimed since. */
  remove(job: JobDocument): Promise<void>;
  /** Makes a job due again after so many milliseconds, if it was not claimed since. */
  postpone(job: JobDocument, afterMs: number, attempts?: number): Promise<void>;
}

export interface JobStoreOptions {
  jobs: Collection<JobDocument>;
  clock(): Date;
  /** How long a node has for a job before another one takes it over, in milliseconds. */
  leaseMs: number;
}

export function createJobStore({ jobs, clock, leaseMs }: JobStoreOptions): JobStore {
  const after = (ms: number) => new Date(clock().getTime() + ms);
  const claimed = ({ _id, attempts }: JobDocument) => ({ _id, attempts });

  return {
    async add(kind, key, payload, dueAt) {
      const job = { kind, payload, due_at: dueAt, attempts: 0 };
      await upsert(jobs, { filter: { _id: `${kind}:${key}` }, update: { $setOnInsert: job } });
    },
    // The claim moves the time when the job is due, so a node that dies leaves a job that becomes due again.
    claim: (kinds) =>
      jobs.findOneAndUpdate(
        { kind: { $in: kinds }, due_at: { $lte: clock() } },
        { $set: { due_at: after(leaseMs) }, $inc: { attempts: 1 } },
        { sort: { due_at: 1 }, returnDocument: 'after' },
      ),
    async oldestDue() {
      const found = await jobs.findOne(
        { due_at: { $lte: clock() } },
        { projection: { _id: 0, due_at: 1 }, sort: { due_at: 1 } },
      );
      return found?.due_at;
    },
    async remove(job) {
      await jobs.deleteOne(claimed(job));
    },
    async postpone(job, afterMs, attempts = job.attempts) {
      await jobs.updateOne(claimed(job), { $set: { due_at: after(afterMs), attempts } });
    },
  };
}
