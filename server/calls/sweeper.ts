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

/** The longest and the shortest time from one look for deadlines to the next, in milliseconds. */
const LOOK_MS = 1000;
const SHORTEST_LOOK_MS = 250;
/** The shortest wait for a deadline that was seen, in milliseconds. */
const SOON_MS = 20;
/** How often the other work is done, in milliseconds. */
const DEAD_NODES_MS = 2000;
const OWN_SEATS_MS = 5000;
/** How long closing waits for work under way at most, in milliseconds: without a primary the work takes longer. */
const PATIENCE_MS = 1000;
/** How many overdue calls one sweep takes at most. The rest is for the next sweep, or another node. */
const BATCH = 100;

export interface SweeperOptions {
  openCalls: Pick<OpenCalls, 'due'>;
  changes: Pick<Changes, 'applyOverdue'>;
  reconciliation: Reconciliation;
  /** Deadlines are set at least this far ahead, in milliseconds. */
  shortestDeadlineMs: number;
  clock(): Date;
  log: Logger;
}

export interface Sweeper {
  /** Stops; resolves when the work under way has ended, or takes too long. */
  close(): Promise<void>;
}

/** Starts at once: a starting node settles what earlier ones left. */
export function startSweeper(options: SweeperOptions): Sweeper {
  const { openCalls, changes, reconciliation, shortestDeadlineMs, clock, log } = options;
  const stopping = new AbortController();
  // Whichever node sets a deadline, each node sees it before it has passed, and comes at that moment.
  const lookMs = Math.max(SHORTEST_LOOK_MS, Math.min(LOOK_MS, shortestDeadlineMs));

  /** @returns how long to wait for the next deadline, or the next look, in milliseconds */
  async function applyOverdue(): Promise<number> {
    const now = clock().getTime();
    const due = await openCalls.due(new Date(now + lookMs), BATCH);
    const overdue = due.filter(({ at }) => at.getTime() <= now);
    await Promise.all(overdue.map(({ id }) => changes.applyOverdue(id)));
    if (overdue.length === BATCH) return SHORTEST_LOOK_MS;
    const next = due[overdue.length];
    return next ? next.at.getTime() - clock().getTime() : lookMs;
  }

  /** @param everyMs how long to wait after the work, unless the work says how long */
  async function repeat(work: () => Promise<unknown>, everyMs: number): Promise<void> {
    let failing = false;
    while (!stopping.signal.aborted) {
      let waitMs = everyMs;
      try {
        const said = await work();
        if (typeof said === 'number') waitMs = Math.max(SOON_MS, said);
        failing = false;
      } catch (err) {
        // Logged once for each outage, not each second.
        if (!failing) log.warn({ err }, 'calls could not be swept; trying again');
        failing = true;
      }
      await setTimeout(waitMs, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const running = [
    repeat(applyOverdue, lookMs),
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
