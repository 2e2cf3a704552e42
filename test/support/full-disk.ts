/** A small disk of its own, which a test fills. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

export interface SmallDisk {
  folder: string;
  /** Uses up what is free, but for `left` bytes. */
  fill(left?: number): void;
  /** Gives it back. */
  free(): void;
}

/**
 * Mounts a disk for one test: a `tmpfs`, for which root is needed.
 * @param size in MiB
 */
export function smallDisk(size: number): SmallDisk {
  if (process.getuid?.() !== 0) throw new Error('this test mounts a small disk: run it as root');
  const folder = mkdtempSync(path.join(tmpdir(), 'letsapp-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}m`, 'tmpfs', folder]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  const filler = path.join(folder, 'filler');
  return {
    folder,
    fill(left = 0) {
      const descriptor = openSync(filler, 'a');
      const block = Buffer.alloc(4096, 1);
      let length = 0;
      try {
        for (;;) length += writeSync(descriptor, block);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(descriptor);
      }
      if (left > 0) execFileSync('truncate', ['-s', String(Math.max(0, length - left)), filler]);
    },
    free: () => rmSync(filler, { force: true }),
  };
}
