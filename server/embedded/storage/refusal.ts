import { statfsSync } from 'node:fs';
import { Fault } from '../values/fault.ts';

/** How long until the first attempt to write again, and the longest time between two, in milliseconds. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 4000;
/** With fewer bytes free than this, an attempt is of no use. */
const ROOM = 256 * 1024;
/** How often it is looked whether the reserve is touched, in milliseconds. */
const LOOK_MS = 2000;

/** The state in which nothing can be written, or may be: usually because the disk is full. Reads go on. */
export interface Refusal {
  /** Whether a write has failed, and none has succeeded since. */
  hasFailed(): boolean;
  /** @throws Fault OutOfDiskSpace while writes are refused */
  check(): void;
  /** Refuses writes until an attempt succeeds. */
  begin(cause: Error): void;
  stop(): void;
}

/**
 * @param folder where room is needed
 * @param reserveBytes what is kept free for everything else: with less, writes are refused before the disk is full
 * @param attempt tries to write; throws, after it has restored what was, if that still fails
 * @param report told why writes are refused, and with undefined that they are taken again
 */
export function createRefusal(
  folder: string,
  reserveBytes: number,
  attempt: () => void,
  report: (reason: string | undefined) => void,
): Refusal {
  let failure: string | undefined;
  let shortage: string | undefined;
  let told: string | undefined;
  let delay = FIRST_RETRY_MS;
  let retrying: NodeJS.Timeout | undefined;

  const reason = () => failure ?? shortage;

  function tell(): void {
    if (reason() === told) return;
    told = reason();
    report(told);
  }

  function retry(): void {
    try {
      if (freeBytes(folder) < ROOM) throw new Error();
      attempt();
    } catch {
      delay = Math.min(delay * 2, LONGEST_RETRY_MS);
      retrying = setTimeout(retry, delay);
      return;
    }
    failure = undefined;
    tell();
  }

  function look(): void {
    shortage = freeBytes(folder) < reserveBytes ? `less than ${reserveBytes} bytes are free on the disk` : undefined;
    tell();
  }

  if (reserveBytes > 0) look();
  const looking = reserveBytes > 0 ? setInterval(look, LOOK_MS) : undefined;

  return {
    hasFailed: () => failure !== undefined,
    check() {
      const because = reason();
      if (because !== undefined) throw new Fault(14031, `the database refuses writes: ${because}`);
    },
    begin(cause) {
      if (failure !== undefined) return;
      failure = `there is no room on the disk (${cause.message})`;
      tell();
      delay = FIRST_RETRY_MS;
      retrying = setTimeout(retry, delay);
    },
    stop() {
      clearTimeout(retrying);
      clearInterval(looking);
    },
  };
}

/** A disk that does not tell counts as one with room. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    return files > 0 && ffree === 0 ? 0 : bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}
