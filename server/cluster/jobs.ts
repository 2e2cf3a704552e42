/**
 * Work that must be done some time, whichever node lives then: stored, claimed by one conditional update, done, and
 * tried again with back-off when it fails or its node dies. So a job may be done more than once and must bear that.
 * Payloads hold no secrets: they are stored as they are.
 */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import type { JobDocument } from '../model/documents/cluster.ts';
import { isDuplicateKey } from '../model/failures.ts';

/** How often a node looks for what is due, in milliseconds. */
const LOOK_MS = 1000;
/** How long a node has for a job before another one takes it over, in milliseconds. */
const LEASE_MS = 60_000;
/** Before the second attempt, in milliseconds; twice as long before each further one. */
const BACK_OFF_MS = 1000;
const MAX_BACK_OFF_MS = 15 * 60_000;
/** A job that failed so often is given up; one that comes again and again never is. */
const MAX_ATTEMPTS = 12;

export type JobPayload = Record<string, string | number | boolean>;

export interface JobKind {
  run(payload: JobPayload): Promise<void>;
  /** A job of this kind is always there, and due again so long after it was done, in milliseconds. */
  everyMs?: number;
}

export interface Jobs {
  /** Names what is done for a kind of job; from then on this node does such jobs. */
  handle(kind: string, job: JobKind): void;
  /**
   * Stores a job. Resolves when it is certain to be done.
   * @param key of two jobs of a kind with the same key, the first that is not done yet stands
   */
  add(kind: string, key: string, payload: JobPayload, dueAt?: Date): Promise<void>;
  /** Takes no new jobs, and resolves when those begun are done. */
  close(): Promise<void>;
}

export interface JobsOptions {
  jobs: Collection<JobDocument>;
  clock(): Date;
  log: Logger;
  /** Milliseconds; others for tests. */
  lookMs?: number;
  leaseMs?: number;
  backOffMs?: number;
}

export function createJobs(options: JobsOptions): Jobs {
  const { jobs, clock, log, lookMs = LOOK_MS, leaseMs = LEASE_MS, backOffMs = BACK_OFF_MS } = options;
  const kinds = new Map<string, JobKind>();
  let closed = false;
  let working: Promise<void> | undefined;

  const after = (ms: number) => new Date(clock().getTime() + ms);

  async function store(kind: string, key: string, payload: JobPayload, dueAt: Date): Promise<void> {
    try {
      await jobs.updateOne(
        { _id: `${kind}:${key}` },
        { $setOnInsert: { kind, payload, due_at: dueAt, attempts: 0 } },
        { upsert: true },
      );
    } catch (error) {
      // Another node stored it in the same moment.
      if (!isDuplicateKey(error)) throw error;
    }
  }

  /** Claimed by moving the time when it is due: a node that dies leaves a job that is due again. */
  function claim(): Promise<JobDocument | null> {
    return jobs.findOneAndUpdate(
      { kind: { $in: [...kinds.keys()] }, due_at: { $lte: clock() } },
      { $set: { due_at: after(leaseMs) }, $inc: { attempts: 1 } },
      { sort: { due_at: 1 }, returnDocument: 'after' },
    );
  }

  async function perform(job: JobDocument): Promise<void> {
    const { run, everyMs } = kinds.get(job.kind)!;
    // Whoever took it over after the lease goes on with it: only the holder of the newest claim settles a job.
    const mine = { _id: job._id, attempts: job.attempts };
    try {
      await run(job.payload);
      if (everyMs === undefined) await jobs.deleteOne(mine);
      else await jobs.updateOne(mine, { $set: { due_at: after(everyMs), attempts: 0 } });
    } catch (err) {
      const isLast = everyMs === undefined && job.attempts >= MAX_ATTEMPTS;
      log.warn({ err, kind: job.kind, attempts: job.attempts, given_up: isLast }, 'a job failed');
      const wait = Math.min(backOffMs * 2 ** (job.attempts - 1), MAX_BACK_OFF_MS);
      if (isLast) await jobs.deleteOne(mine);
      else await jobs.updateOne(mine, { $set: { due_at: after(wait) } });
    }
  }

  async function work(): Promise<void> {
    try {
      for (const [kind, { everyMs }] of kinds) if (everyMs !== undefined) await store(kind, 'each', {}, clock());
      while (!closed && kinds.size > 0) {
        const job = await claim();
        if (!job) break;
        await perform(job);
      }
    } catch (err) {
      log.debug({ err }, 'jobs could not be looked at');
    }
  }

  const timer = setInterval(() => {
    working ??= work().finally(() => {
      working = undefined;
    });
  }, lookMs);
  timer.unref();

  return {
    handle: (kind, job) => void kinds.set(kind, job),
    add: (kind, key, payload, dueAt = clock()) => store(kind, key, payload, dueAt),
    async close() {
      closed = true;
      clearInterval(timer);
      await working;
    },
  };
}
