/** Carries out the jobs that are due: claims, decides, sends. Every node does; a claim says whose a job is. */
import type { Logger } from 'pino';
import { every } from '../../lib/every.ts';
import type { PushJobDocument } from '../../model/documents/push.ts';
import type { Decided, Outcome as DecidedJobs } from '../decide/decide.ts';
import type { Outcome } from '../providers/provider.ts';
import type { PushJobStore } from './job-store.ts';
import { createLanes } from './lanes.ts';

/** How often a node looks for what is due, in milliseconds. */
const LOOK_MS = 500;
/** Jobs that are claimed and decided together. */
const BATCH = 100;
/** How long the end waits for what is under way, in milliseconds. */
const CLOSE_MS = 2000;

export interface PushWorker {
  /** Begins to look for what is due. */
  start(): void;
  /** Looks now: something may be due. Nothing happens before the start. */
  wake(): void;
  close(): Promise<void>;
}

export interface PushWorkerOptions {
  jobs: Pick<PushJobStore, 'claim' | 'remove'>;
  decide(jobs: readonly PushJobDocument[]): Promise<DecidedJobs>;
  attempt(decided: Decided): Promise<Outcome | undefined>;
  /** Removes what belongs to sessions that have ended. */
  removeOfSessions(sessionIds: string[]): Promise<void>;
  log: Logger;
}

export function createPushWorker(options: PushWorkerOptions): PushWorker {
  const { jobs, decide, attempt, removeOfSessions, log } = options;
  const lanes = createLanes();
  let closed = false;
  let ticking: { close(): void } | undefined;
  let looking: Promise<void> | undefined;
  let again = false;
  const underWay = new Set<Promise<void>>();

  function begin(decided: Decided): void {
    const { lane } = decided.job;
    lanes.begin(lane);
    const work = attempt(decided).then(
      (outcome) => lanes.end(lane, outcome && outcome.kind !== 'retry'),
      (err: unknown) => {
        // The store does not answer: the lease runs out, and the job is due again.
        log.debug({ err }, 'a push could not be noted');
        lanes.end(lane, undefined);
      },
    );
    const tracked = work.finally(() => {
      underWay.delete(tracked);
      wake();
    });
    underWay.add(tracked);
  }

  /** @returns whether there may be more */
  async function take(): Promise<boolean> {
    const most = Math.min(BATCH, lanes.room());
    if (most <= 0) return false;
    const claimed = await jobs.claim(most, lanes.full(), lanes.roomOf);
    if (claimed.length === 0) return false;
    const { decided, orphans, ended } = await decide(claimed);
    for (const one of decided) begin(one);
    if (orphans.length > 0) await jobs.remove(orphans);
    if (ended.length > 0) {
      await removeOfSessions([...new Set(ended.map(({ session_id }) => session_id.toHexString()))]);
      await jobs.remove(ended);
    }
    return true;
  }

  async function look(): Promise<void> {
    do {
      again = false;
      while (!closed && (await take()));
    } while (again && !closed);
  }

  function wake(): void {
    again = true;
    if (closed || looking || !ticking) return;
    looking = look()
      .catch((err: unknown) => log.debug({ err }, 'pushes could not be looked for; trying again'))
      .finally(() => {
        looking = undefined;
      });
  }

  return {
    start() {
      ticking ??= every(
        LOOK_MS,
        async () => wake(),
        () => {},
      );
      wake();
    },
    wake,
    async close() {
      closed = true;
      ticking?.close();
      await looking;
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([Promise.allSettled(underWay), late]);
    },
  };
}
