/** One attempt: sends what was decided, and notes what became of it. */
import type { Logger } from 'pino';
import type { Collections } from '../../model/collections.ts';
import type { PushJobDocument } from '../../model/documents/push.ts';
import type { Decided } from '../decide/decide.ts';
import type { Decision } from '../decide/decision.ts';
import type { Outcome, Provider } from '../providers/provider.ts';
import type { PushJobStore } from './job-store.ts';

/** The wait before the second attempt, in milliseconds: it doubles before each further one, and none is shorter. */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 600_000;
/** For how long a push is tried, in milliseconds. */
const GIVE_UP_MS = 86_400_000;

export type Counted = Outcome['kind'] | 'skipped';

export interface AttemptOptions {
  collections: Pick<Collections, 'push_subscriptions'>;
  jobs: Pick<PushJobStore, 'done' | 'postpone' | 'removeOf'>;
  providerOf(name: PushJobDocument['provider']): Provider | undefined;
  count(provider: PushJobDocument['provider'], outcome: Counted): void;
  clock(): Date;
  log: Logger;
}

/** @returns carries a decision out; resolves with what the provider said, undefined where it was not asked */
export function createAttempt(options: AttemptOptions): (decided: Decided) => Promise<Outcome | undefined> {
  const { collections, jobs, providerOf, count, clock, log } = options;

  async function retry({ job }: Decided, decision: Sent, outcome: Outcome & { kind: 'retry' }): Promise<void> {
    const now = clock().getTime();
    // What happened while the provider failed is tried for a day of its own.
    const since = Math.max(job.failing_since?.getTime() ?? now, decision.at?.getTime() ?? 0);
    const doubled = Math.min(FIRST_WAIT_MS * 2 ** job.attempts, LONGEST_WAIT_MS);
    const waitMs = Math.max(outcome.afterMs ?? doubled, FIRST_WAIT_MS);
    if (now + waitMs - since > GIVE_UP_MS) {
      log.warn({ provider: job.provider, reason: outcome.reason }, 'a push is given up after a day');
      count(job.provider, 'refused');
      return jobs.done(job, { ...decision.noted, ...shownBefore(job) });
    }
    count(job.provider, 'retry');
    const mayBeShown = (outcome.isUnanswered && decision.unsure) || {};
    await jobs.postpone(job, new Date(now + waitMs), mayBeShown);
  }

  async function settle(decided: Decided, decision: Sent, outcome: Outcome): Promise<void> {
    const { job, subscription } = decided;
    if (outcome.kind === 'retry') return retry(decided, decision, outcome);
    count(job.provider, outcome.kind);
    if (outcome.kind === 'ok') return jobs.done(job, decision.noted, decision.lookAt);
    log.info({ provider: job.provider, outcome: outcome.kind, reason: outcome.reason }, 'a push was not taken');
    if (outcome.kind === 'refused') return jobs.done(job, { ...decision.noted, ...shownBefore(job) });
    const { _id, session_id, named_at } = subscription;
    const { deletedCount } = await collections.push_subscriptions.deleteOne({ _id, session_id, named_at });
    if (deletedCount === 1) return jobs.removeOf([_id]);
    // It was named again meanwhile: the provider may know it by now.
    await jobs.postpone(job, new Date(clock().getTime() + FIRST_WAIT_MS), {});
  }

  return async (decided) => {
    const { job, subscription, decision } = decided;
    if (decision.kind === 'later') {
      await jobs.postpone(job, decision.at);
      return undefined;
    }
    const provider = providerOf(job.provider);
    if (decision.kind === 'skip' || !provider) {
      if (job.waits_since) count(job.provider, 'skipped');
      await jobs.done(job, decision.noted, decision.kind === 'skip' ? decision.lookAt : undefined);
      return undefined;
    }
    const outcome = await provider.send(subscription, decision.push);
    await settle(decided, decision, outcome);
    return outcome;
  };
}

type Sent = Decision & { kind: 'push' };

/** What a device shows that this push did not reach. */
const shownBefore = ({ shown, shown_thread }: PushJobDocument) => ({ shown, shown_thread });
