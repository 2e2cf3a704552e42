/**
 * Finds the sessions that other nodes have ended. It polls the database rather than listen on Redis, so that the end of
 * a session reaches every node within two seconds (PROTOCOL section 2) even while Redis is down.
 */
import type { Logger } from 'pino';

const INTERVAL_MS = 1000;
/** How far each query reaches back, in milliseconds: longer than a write takes to become visible. */
const OVERLAP_MS = 10_000;

export interface RevocationWatchOptions {
  /** The ids of the sessions that were ended at or after a time, by any node. */
  revokedSince(since: Date): Promise<string[]>;
  /** Called once for each ended session, this node's own included. */
  onEnded(sessionIds: string[]): void;
  clock(): Date;
  log: Logger;
}

/** Starts polling. While the database is down it keeps trying, and reports afterwards what ended in the meantime. */
export function watchRevocations({ revokedSince, onEnded, clock, log }: RevocationWatchOptions): { close(): void } {
  let polledAt = clock().getTime();
  // The last result: successive queries overlap by no more than this.
  let reported = new Set<string>();
  let isFailing = false;
  let isClosed = false;
  let timer = setTimeout(poll, INTERVAL_MS);

  async function poll(): Promise<void> {
    const startedAt = clock().getTime();
    try {
      const ended = await revokedSince(new Date(polledAt - OVERLAP_MS));
      polledAt = startedAt;
      const fresh = ended.filter((id) => !reported.has(id));
      reported = new Set(ended);
      isFailing = false;
      if (fresh.length > 0 && !isClosed) onEnded(fresh);
    } catch (err) {
      if (!isFailing) log.warn({ err }, 'cannot read ended sessions; trying again');
      isFailing = true;
    }
    if (!isClosed) timer = setTimeout(poll, Math.max(0, startedAt + INTERVAL_MS - clock().getTime()));
  }

  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
