/** Presence work that no command waits for. Nobody repeats it when the store is away, so it is tried again. */
import type { Logger } from 'pino';
import type { KeyedQueue } from '../lib/keyed-queue.ts';
import type { Settlement } from './settlement.ts';
import type { Timers } from './timers.ts';

/** How long after a failure it is tried again, in milliseconds. */
export const RETRY_MS = 2000;

export interface Background {
  /** Runs work on a user's presence in turn; never rejects. After a failure, settles again. */
  run(userId: string, work: () => Promise<void>): Promise<void>;
  /** Settles a user in turn, whatever is known already; never rejects. */
  settleAgain(userId: string): Promise<void>;
}

export interface BackgroundOptions {
  /** The work of each user, by user id. */
  queue: KeyedQueue;
  settlement: Settlement;
  timers: Timers;
  log: Logger;
}

export function createBackground({ queue, settlement, timers, log }: BackgroundOptions): Background {
  async function run(userId: string, work: () => Promise<void>): Promise<void> {
    try {
      await queue.run(userId, work);
    } catch (err) {
      log.warn({ err }, 'presence could not be stored; trying again');
      timers.start(userId, RETRY_MS);
    }
  }

  return {
    run,
    settleAgain: (userId) =>
      run(userId, () => {
        settlement.forget(userId);
        return settlement.settle(userId);
      }),
  };
}
