/** Reads from the database what a conversation's stream lacks: where it begins, and what is missing in it. */
import type { Change } from '../bus/operations.ts';
import { counters, histograms, WAITS } from '../lib/measures.ts';
import type { ConversationRef } from '../model/conversation-ref.ts';
import type { Baseline, BaselineQuery } from './baseline.ts';
import { advance, beginAbove, fill } from './order.ts';
import type { Progress } from './progress.ts';

/** How long a gap may close by itself before the database is asked, in milliseconds. */
const GAP_PATIENCE_MS = 50;
/** How many changes are read at a time. */
const READ_LIMIT = 500;
/** How long to wait after the database failed to answer, in milliseconds. */
const RETRY_MS = 1000;

const waits = histograms(
  'letsapp_sequencer_wait_seconds',
  'How long changes of a conversation waited on this node for those before them, or for it to know where to begin',
  [],
  WAITS,
)();
const reads = counters(
  'letsapp_sequencer_reads_total',
  'Reads from the database of changes that this node lacked to go on in order',
)();

export interface BackfillSources {
  /** The changes above `rev` that are stored, ascending by `rev`, at most `limit`. */
  readChanges(conversation: ConversationRef, aboveRev: number, limit: number): Promise<Change[]>;
  /** Where delivery begins in a conversation of which this node has delivered nothing yet. */
  findBaseline(conversation: ConversationRef, query: BaselineQuery): Promise<Baseline>;
  clock(): Date;
  onError(error: unknown): void;
}

export interface Backfill {
  /** Finds out where delivery begins, trying again until the database answers; then streams. */
  begin(progress: Progress, query: BaselineQuery): Promise<void>;
  /** Delivers everything that is stored above what was delivered; then streams. */
  read(progress: Progress): Promise<void>;
  /** To be called when changes wait: has the database read unless the gap closes by itself. */
  watchGap(progress: Progress): void;
  close(): void;
}

/** @param emit puts one change out, in its turn */
export function createBackfill(
  { readChanges, findBaseline, clock, onError }: BackfillSources,
  emit: (progress: Progress, change: Change) => void,
): Backfill {
  let closed = false;

  /** The cutover: what arrived meanwhile follows without a gap. */
  function stream(progress: Progress): void {
    progress.phase = 'streaming';
    advance(progress, emit);
    watchGap(progress);
  }

  function readLater(progress: Progress, delayMs: number): void {
    if (progress.timer || closed) return;
    progress.timer = setTimeout(() => {
      progress.timer = undefined;
      if (progress.waiting.size > 0 || progress.readAgain) void read(progress);
    }, delayMs);
    progress.timer.unref();
  }

  function watchGap(progress: Progress): void {
    noteWait(progress);
    if (progress.waiting.size > 0) readLater(progress, GAP_PATIENCE_MS);
  }

  async function begin(progress: Progress, query: BaselineQuery): Promise<void> {
    progress.phase = 'beginning';
    for (let found = false; !found; ) {
      try {
        beginAbove(progress, await findBaseline(progress.conversation, query));
        found = true;
      } catch (error) {
        onError(error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
        if (closed) return;
      }
    }
    progress.touchedAt = clock().getTime();
    progress.phase = 'streaming';
    if (progress.readAgain) void read(progress);
    else stream(progress);
  }

  async function read(progress: Progress): Promise<void> {
    if (progress.phase !== 'streaming') {
      progress.readAgain = true;
      return;
    }
    progress.phase = 'backfill';
    try {
      for (let count = READ_LIMIT; count === READ_LIMIT || progress.readAgain; ) {
        progress.readAgain = false;
        reads.add();
        const stored = await readChanges(progress.conversation, progress.rev, READ_LIMIT);
        count = stored.length;
        fill(progress, stored, emit);
      }
    } catch (error) {
      onError(error);
      progress.readAgain = true;
      readLater(progress, RETRY_MS);
    }
    stream(progress);
  }

  return {
    begin,
    read,
    watchGap,
    close() {
      closed = true;
    },
  };
}

/** To be called when changes may have begun to wait, or no longer wait. */
export function noteWait(progress: Progress): void {
  if (progress.waiting.size > 0) {
    progress.waitsSince ??= performance.now();
  } else if (progress.waitsSince !== undefined) {
    waits.observe((performance.now() - progress.waitsSince) / 1000);
    progress.waitsSince = undefined;
  }
}
