/** How much room there is on the disk of a folder, looked at every few seconds. */
import { statfs } from 'node:fs/promises';
import type { Logger } from 'pino';
import { unavailable } from './errors.ts';
import { every } from './every.ts';

/** Less than 5 s, within which a change must be noticed (PROTOCOL section 10). */
const LOOK_MS = 2000;
/** With less free than this a disk is full, whatever is to be kept free: many writes fail. Bytes. */
const FULL_BYTES = 1024 * 1024;

/** `low`: less is free than must be. `full`: less than a quarter of that, or next to nothing. */
export type DiskState = 'ok' | 'low' | 'full';

export interface DiskSpace {
  state(): DiskState;
  /** Bytes, as of the last look. */
  free(): number;
  /** @throws ContractError `unavailable` while less is free than must be */
  requireRoom(): void;
  close(): void;
}

export interface DiskSpaceOptions {
  folder: string;
  /** What must be free, in bytes. */
  minFreeBytes: number;
  log: Logger;
}

/** Looks once and starts to watch. While the disk does not answer, its last answer holds. */
export async function watchDiskSpace({ folder, minFreeBytes, log }: DiskSpaceOptions): Promise<DiskSpace> {
  let free = Number.POSITIVE_INFINITY;
  let state: DiskState = 'ok';

  async function look(): Promise<void> {
    free = await freeBytes(folder);
    const before = state;
    state = stateOf(free, minFreeBytes);
    if (state === before) return;
    if (state === 'ok') log.info({ free }, 'the disk has room again');
    else log.warn({ free, min_free: minFreeBytes, disk: state }, 'the disk runs out of room');
  }

  const notKnown = (err: unknown) => log.debug({ err }, 'the room on the disk is not known');
  await look().catch(notKnown);
  const { close } = every(LOOK_MS, look, notKnown);

  return {
    state: () => state,
    free: () => free,
    requireRoom() {
      if (free < minFreeBytes) throw unavailable('the disk is almost full; nothing was accepted');
    },
    close,
  };
}

function stateOf(free: number, minFreeBytes: number): DiskState {
  if (free < Math.max(minFreeBytes / 4, FULL_BYTES)) return 'full';
  return free < minFreeBytes ? 'low' : 'ok';
}

/** For a process without privileges. A disk without free inodes takes no files either; some disks do not count them. */
async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize, files, ffree } = await statfs(folder);
  return files > 0 && ffree === 0 ? 0 : bavail * bsize;
}
