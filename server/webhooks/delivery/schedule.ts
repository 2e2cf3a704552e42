/**
 * When each stream of one receiver is tried. Several at once, each stream one at a time. While the receiver fails, it
 * is tried by one stream after the other: after a second, then after twice as long each time. If one stream alone is
 * not taken, only that stream waits, likewise.
 */
import { backOff, createReceiver } from './receiver.ts';

/** Streams kept in memory; the store has the others. */
const MOST_KNOWN = 10_000;
const FIRST_WAIT_MS = 1000;

/**
 * What became of a turn: all was taken; more waits; the receiver refused; it failed, or could not be reached; or what waits
 * is not there yet.
 */
export type Turn = 'done' | 'more' | 'refused' | 'failed' | 'early';

export interface Schedule {
  /** Has a stream tried. @returns false where there are too many: it must be asked for again */
  wake(stream: string): boolean;
  /** How many streams wait or are under way. */
  size(): number;
  /** Since when the stream has waited of which nothing was taken for longest, by `performance.now()`. */
  oldest(): number | undefined;
  has(stream: string): boolean;
  /** The receiver has answered in time: it is there. */
  answered(): void;
  /** Tries everything at once, whatever failed before. */
  retryNow(): void;
  /** Forgets the streams for which this holds, except those under way. */
  forget(isGone: (stream: string) => boolean): void;
  /** Begins nothing more; resolves when what is under way has ended. */
  close(): Promise<void>;
}

interface Entry {
  state: 'ready' | 'running' | 'waiting';
  /** Woken while it was under way. */
  again: boolean;
  attempts: number;
  /** Since when nothing of it was taken, by `performance.now()`. */
  since: number;
  /** Counts looks for what was not there yet. */
  early: number;
  timer?: NodeJS.Timeout;
}

export interface ScheduleOptions {
  /** Tries one stream. @param looks how often it was `early` before, in a row */
  work(stream: string, looks: number): Promise<Turn>;
  /** In milliseconds; for tests. */
  firstWaitMs?: number;
}

export function createSchedule({ work, firstWaitMs = FIRST_WAIT_MS }: ScheduleOptions): Schedule {
  const receiver = createReceiver(firstWaitMs);
  const entries = new Map<string, Entry>();
  let ready: string[] = [];
  let running = 0;
  let opening: NodeJS.Timeout | undefined;
  /** Set when nothing more is to begin; called when nothing is under way. */
  let onIdle: (() => void) | undefined;

  function pump(): void {
    if (onIdle || ready.length === 0) return;
    const rest = receiver.rest();
    if (rest > 0) {
      clearTimeout(opening);
      opening = setTimeout(pump, rest).unref();
      return;
    }
    while (ready.length > 0 && running < receiver.atOnce()) {
      const stream = ready.shift()!;
      const entry = entries.get(stream);
      if (entry?.state === 'ready') void run(stream, entry);
    }
  }

  async function run(stream: string, entry: Entry): Promise<void> {
    const began = performance.now();
    const isProbe = receiver.isFailing();
    running++;
    Object.assign(entry, { state: 'running', again: false });
    const turn = await work(stream, entry.early);
    running--;
    if (turn === 'failed') receiver.failed(began);
    if (turn === 'done' && !entry.again) entries.delete(stream);
    else queue(stream, entry, waitAfter(entry, turn, isProbe, firstWaitMs));
    if (running === 0) onIdle?.();
    pump();
  }

  /** @param ms from now */
  function queue(stream: string, entry: Entry, ms: number): void {
    clearTimeout(entry.timer);
    entry.state = ms > 0 ? 'waiting' : 'ready';
    if (ms === 0) {
      ready.push(stream);
      return;
    }
    entry.timer = setTimeout(() => {
      queue(stream, entry, 0);
      pump();
    }, ms);
    entry.timer.unref();
  }

  return {
    wake(stream) {
      const known = entries.get(stream);
      if (known) known.again = true;
      // What was not there yet may be there now.
      if (known?.state === 'waiting' && known.early > 0) queue(stream, known, 0);
      if (!known) {
        if (entries.size >= MOST_KNOWN || onIdle) return false;
        entries.set(stream, { state: 'ready', again: false, attempts: 0, since: performance.now(), early: 0 });
        ready.push(stream);
      }
      pump();
      return true;
    },
    size: () => entries.size,
    oldest: () => oldestAmong(entries.values()),
    has: (stream) => entries.has(stream),
    answered() {
      if (receiver.answered()) setImmediate(pump);
    },
    retryNow() {
      receiver.answered();
      for (const [stream, entry] of entries) {
        entry.attempts = 0;
        if (entry.state === 'waiting') queue(stream, entry, 0);
      }
      pump();
    },
    forget(isGone) {
      for (const [stream, entry] of entries) {
        if (entry.state === 'running' || !isGone(stream)) continue;
        clearTimeout(entry.timer);
        entries.delete(stream);
      }
      ready = ready.filter((stream) => entries.has(stream));
    },
    close() {
      clearTimeout(opening);
      for (const { timer } of entries.values()) clearTimeout(timer);
      return new Promise((resolve) => {
        onIdle = resolve;
        if (running === 0) resolve();
      });
    },
  };
}

function oldestAmong(entries: Iterable<Entry>): number | undefined {
  let oldest: number | undefined;
  for (const { since } of entries) if (oldest === undefined || since < oldest) oldest = since;
  return oldest;
}

/** @returns in how many milliseconds a stream is tried again */
function waitAfter(entry: Entry, turn: Turn, isProbe: boolean, firstWaitMs: number): number {
  entry.early = turn === 'early' ? entry.early + 1 : 0;
  if (turn === 'done' || turn === 'more') entry.since = performance.now();
  if (turn === 'early') return firstWaitMs;
  // Where the receiver failed before, it is not the stream's fault, and another one has its turn.
  if (turn === 'refused' || (turn === 'failed' && !isProbe)) return backOff(++entry.attempts, firstWaitMs);
  if (turn !== 'failed') entry.attempts = 0;
  return 0;
}
