/** A small disk of its own, in memory, that a test can fill up: a tmpfs, which only root may mount. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

export interface SmallDisk {
  folder: string;
  /** Takes up room until so many bytes are free. */
  leave(bytes: number): Promise<void>;
  /** Gives that room back. */
  empty(): Promise<void>;
  unmount(): void;
}

const PIECE = Buffer.alloc(64 * 1024);

/**
 * @param bytes its size
 * @throws Error that says why there can be none
 */
export function mountSmallDisk(bytes: number): SmallDisk {
  const folder = mkdtempSync(path.join(tmpdir(), 'letsapp-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'tmpfs', folder], { stdio: 'pipe' });
  } catch (error) {
    rmdirSync(folder);
    throw new Error(`this test fills a disk and needs to mount a tmpfs, as root: ${(error as Error).message}`);
  }
  const filler = path.join(folder, 'filler');
  return {
    folder,
    async leave(bytes) {
      const handle = await open(filler, 'a');
      try {
        for (let over = await freeBytes(folder); over > bytes; over = await freeBytes(folder)) {
          await handle.appendFile(PIECE.subarray(0, Math.min(over - bytes, PIECE.length)));
        }
      } finally {
        await handle.close();
      }
    },
    empty: () => rm(filler, { force: true }),
    unmount() {
      execFileSync('umount', ['-l', folder]);
      rmdirSync(folder);
    },
  };
}

/** As `mountSmallDisk`, for as long as a test lasts. */
export function smallDiskForTest(bytes: number): SmallDisk {
  const disk = mountSmallDisk(bytes);
  onTestFinished(() => disk.unmount());
  return disk;
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
