import { statfsSync } from 'node:fs';
import { Fault } from '../values/fault.ts';

/** How long until the first attempt to write again, and the longest time between two, in milliseconds. */
const FIRST_RETRY_MS = 1000;
const LONGEST_RETRY_MS = 4000;
/** With fewer bytes free than this, an attempt is of no use. */
const ROOM = 256 * 1024;

/** The state in which nothing can be written, usually because the disk is full. Reads go on. */
export interface Refusal {
  isOn(): boolean;
  /** @throws Fault OutOfDiskSpace while writes are refused */
  check(): void;
  /** Refuses writes until an attempt succeeds. */
  begin(cause: Error): void;
  stop(): void;
}

/**
 * @param folder where room is needed
 * @param attempt tries to write; throws, after it has restored what was, if that still fails
 * @param report told why writes are refused, and with undefined that they are taken again
 */
export function createRefusal(
  folder: string,
  attempt: () => void,
  report: (reason: string | undefined) => void,
): Refusal {
  let reason: string | undefined;
  let delay = FIRST_RETRY_MS;
  let timer: NodeJS.Timeout | undefined;

  function retry(): void {
    try {
      if (!hasRoom(folder)) throw new Error();
      attempt();
    } catch {
      delay = Math.min(delay * 2, LONGEST_RETRY_MS);
      timer = setTimeout(retry, delay);
      return;
    }
    reason = undefined;
    report(undefined);
  }

  return {
    isOn: () => reason !== undefined,
    check() {
      if (reason !== undefined) throw refused(reason);
    },
    begin(cause) {
      if (reason !== undefined) return;
      reason = `there is no room on the disk (${cause.message})`;
      report(reason);
      delay = FIRST_RETRY_MS;
      timer = setTimeout(retry, delay);
    },
    stop: () => clearTimeout(timer),
  };
}

/** The refusal of a write: MongoDB's OutOfDiskSpace. */
export function refused(reason: string): Fault {
  return new Fault(14031, `the database refuses writes: ${reason}`);
}

function hasRoom(folder: string): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= ROOM;
}
