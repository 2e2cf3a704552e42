/**
 * Work that must be done some time, by whichever node lives then: it is stored, claimed, carried out, and tried again
 * with back-off when it fails or its node dies. So a job may be carried out more than once and must bear that. Payloads
 * are stored as they are: they hold no secrets.
 */
import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import type { JobDocument } from '../model/documents/cluster.ts';
import { createJobStore, type JobPayload } from './job-store.ts';

/** How often a node looks for what is due, in milliseconds. */
const LOOK_MS = 2000;
/** How often a node makes sure that each recurring job is stored, in milliseconds. */
const SECURE_MS = 60_000;
/** How long a node has for a job before another one takes it over, in milliseconds. */
const LEASE_MS = 60_000;
/** Wait before the second attempt, in milliseconds; it doubles before each further one. */
const BACK_OFF_MS = 1000;
const MAX_BACK_OFF_MS = 15 * 60_000;
/** A job that failed this often is given up, unless it recurs. */
const MAX_ATTEMPTS = 12;

export interface JobKind {
  run(payload: JobPayload): Promise<void>;
  /** A recurring job: there is always one of this kind, due again this long after it was done, in milliseconds. */
  everyMs?: number;
}

export interface Jobs {
  /** Names what a kind of job does; from then on this node carries out such jobs. */
  handle(kind: string, job: JobKind): void;
  /**
   * Stores a job; resolves when it is certain to be carried out.
   * @param key of two jobs with the same kind and key, the first stands until it is done
   * @param dueAt now by default
   */
  add(kind: string, key: string, payload: JobPayload, dueAt?: Date): Promise<void>;
  /** When the job that has been due longest became due; undefined where none is due. */
  oldestDue(): Promise<Date | undefined>;
  /** Takes no new jobs, and resolves when those begun are done. */
  close(): Promise<void>;
}

export interface JobsOptions {
  jobs: Collection<JobDocument>;
  clock(): Date;
  log: Logger;
  /** In milliseconds; for tests. */
  lookMs?: number;
  leaseMs?: number;
  backOffMs?: number;
}

export function createJobs(options: JobsOptions): Jobs {
  const { jobs, clock, log, lookMs = LOOK_MS, leaseMs = LEASE_MS, backOffMs = BACK_OFF_MS } = options;
  const store = createJobStore({ jobs, clock, leaseMs });
  const kinds = new Map<string, JobKind>();
  /** When each recurring job must be secured again, by `performance.now()`. */
  const secureAt = new Map<string, number>();
  let closed = false;
  let working: Promise<void> | undefined;

  async function perform(job: JobDocument): Promise<void> {
    const { run, everyMs } = kinds.get(job.kind)!;
    try {
      await run(job.payload);
      if (everyMs === undefined) await store.remove(job);
      else await store.postpone(job, everyMs, 0);
    } catch (err) {
      const isLast = everyMs === undefined && job.attempts >= MAX_ATTEMPTS;
      log.warn({ err, kind: job.kind, attempts: job.attempts, given_up: isLast }, 'a job failed');
      if (isLast) await store.remove(job);
      else await store.postpone(job, Math.min(backOffMs * 2 ** (job.attempts - 1), MAX_BACK_OFF_MS));
    }
  }

  /** Stores the recurring jobs that are not there. */
  async function secure(): Promise<void> {
    const now = performance.now();
    for (const [kind, { everyMs }] of kinds) {
      if (everyMs === undefined || now < (secureAt.get(kind) ?? 0)) continue;
      await store.add(kind, 'each', {}, clock());
      secureAt.set(kind, now + SECURE_MS);
    }
  }

  async function work(): Promise<void> {
    try {
      await secure();
      while (!closed && kinds.size > 0) {
        const job = await store.claim([...kinds.keys()]);
        if (!job) break;
        await perform(job);
      }
    } catch (err) {
      log.debug({ err }, 'jobs could not be looked at');
    }
  }

  const looking = setInterval(() => {
    working ??= work().finally(() => {
      working = undefined;
    });
  }, lookMs);
  looking.unref();

  return {
    handle: (kind, job) => void kinds.set(kind, job),
    oldestDue: store.oldestDue,
    add: (kind, key, payload, dueAt = clock()) => store.add(kind, key, payload, dueAt),
    async close() {
      closed = true;
      clearInterval(looking);
      await working;
    },
  };
}
