/**
 * Keeps calls from ringing or going on for ever. Every node sweeps and decides by what is stored; the conditional update
 * settles which of them changes a call.
 */
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { waitAtMost } from '../lib/deadline.ts';
import type { Changes } from './changes.ts';
import type { OpenCalls } from './open-calls.ts';
import type { Reconciliation } from './reconciliation.ts';

/** How often each kind of work is done, in milliseconds. */
const OVERDUE_MS = 250;
const DEAD_NODES_MS = 1000;
const OWN_SEATS_MS = 5000;
/** The longest wait for the work under way at the end, in milliseconds: without a primary it takes longer. */
const PATIENCE_MS = 1000;
/** How many overdue calls one sweep takes at most. The rest is for the next sweep, or another node. */
const BATCH = 100;

export interface SweeperOptions {
  openCalls: Pick<OpenCalls, 'overdue'>;
  changes: Pick<Changes, 'applyOverdue'>;
  reconciliation: Reconciliation;
  clock(): Date;
  log: Logger;
}

export interface Sweeper {
  /** Stops; resolves when the work under way has ended, or takes too long. */
  close(): Promise<void>;
}

/** Starts at once: a starting node settles what earlier ones left. */
export function startSweeper({ openCalls, changes, reconciliation, clock, log }: SweeperOptions): Sweeper {
  const stopping = new AbortController();

  async function applyOverdue(): Promise<void> {
    const overdue = await openCalls.overdue(clock(), BATCH);
    await Promise.all(overdue.map(changes.applyOverdue));
  }

  async function repeat(work: () => Promise<void>, everyMs: number): Promise<void> {
    let failing = false;
    while (!stopping.signal.aborted) {
      try {
        await work();
        failing = false;
      } catch (err) {
        // Logged once for each outage, not four times a second.
        if (!failing) log.warn({ err }, 'calls could not be swept; trying again');
        failing = true;
      }
      await setTimeout(everyMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const running = [
    repeat(applyOverdue, OVERDUE_MS),
    repeat(reconciliation.deadNodes, DEAD_NODES_MS),
    repeat(reconciliation.ownSeats, OWN_SEATS_MS),
  ];
  return {
    async close() {
      stopping.abort();
      await waitAtMost(Promise.all(running), PATIENCE_MS);
    },
  };
}
