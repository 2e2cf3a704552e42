/**
 * Tells a node which sessions were ended on other nodes. It asks the database and not Redis, so that a session's end
 * reaches every node within two seconds (PROTOCOL section 2) also while Redis is down.
 */
import type { Logger } from 'pino';

const INTERVAL_MS = 1000;
/** How far back each question reaches: more than clocks of nodes differ, and than a write takes to be visible. */
const OVERLAP_MS = 10_000;

export interface RevocationWatchOptions {
  endedSince(since: Date): Promise<string[]>;
  /** Called with the ids of sessions not told of before; ends on this node are among them. */
  onEnded(sessionIds: string[]): void;
  log: Logger;
}

/** Starts to watch. Failures of the database are survived: what ended meanwhile is told afterwards. */
export function watchRevocations({ endedSince, onEnded, log }: RevocationWatchOptions): { close(): void } {
  let askedAt = Date.now();
  // What the last answer held: the next one overlaps with it by no more than this.
  let told = new Set<string>();
  let isFailing = false;
  let isClosed = false;
  let timer = setTimeout(ask, INTERVAL_MS);

  async function ask(): Promise<void> {
    const asking = Date.now();
    try {
      const ended = await endedSince(new Date(askedAt - OVERLAP_MS));
      askedAt = asking;
      const news = ended.filter((id) => !told.has(id));
      told = new Set(ended);
      isFailing = false;
      if (news.length > 0 && !isClosed) onEnded(news);
    } catch (err) {
      if (!isFailing) log.warn({ err }, 'ended sessions could not be read; trying again');
      isFailing = true;
    }
    if (!isClosed) timer = setTimeout(ask, Math.max(0, asking + INTERVAL_MS - Date.now()));
  }

  return {
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
