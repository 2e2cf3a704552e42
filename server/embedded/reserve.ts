import { statfsSync } from 'node:fs';
import type { Engine } from './storage/engine.ts';
import { refused } from './storage/refusal.ts';

/** How often the free space is looked at, in milliseconds. */
const LOOK_MS = 2000;

/**
 * Keeps a part of the disk free for everything else: an engine that refuses writes (Fault OutOfDiskSpace) while less
 * than that is free, and goes on reading.
 * @param folder on that disk
 * @param reserveBytes 0 for none
 * @param report told why writes are refused, and with undefined that they are taken again
 * @returns the engine, and how to stop looking
 */
export function withReserve(
  engine: Engine,
  folder: string,
  reserveBytes: number,
  report: (reason: string | undefined) => void,
): { engine: Engine; stop(): void } {
  const reason = `less than ${reserveBytes} bytes are free on the disk`;
  let isUsedUp = false;
  const look = () => {
    const before = isUsedUp;
    isUsedUp = freeBytes(folder) < reserveBytes;
    if (isUsedUp !== before) report(isUsedUp ? reason : undefined);
  };
  if (reserveBytes > 0) look();
  const timer = reserveBytes > 0 ? setInterval(look, LOOK_MS) : undefined;
  const guarded: Engine = {
    ...engine,
    async write(action) {
      if (isUsedUp) throw refused(reason);
      return engine.write(action);
    },
  };
  return { engine: guarded, stop: () => clearInterval(timer) };
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
