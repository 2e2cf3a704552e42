/** Temporary files of uploads that are being worked on. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { newKey } from './storage.ts';

/** A file not written to for this long was left behind by a crash. Milliseconds. */
const LEFT_BEHIND_MS = 24 * 60 * 60 * 1000;

/** The temporary files of one piece of work. */
export interface TemporaryFiles {
  /** @returns a path where no file exists yet */
  newPath(): string;
}

export interface TemporaryFolder {
  /** Lends temporary files to a piece of work and removes them when it ends, whether it succeeds or fails. */
  with<T>(work: (files: TemporaryFiles) => Promise<T>): Promise<T>;
  /** Removes files that crashes left behind. */
  cleanUp(now: Date): Promise<void>;
}

/**
 * @param directory created if missing, readable by the server's user only. Not the system's folder for temporary
 *   files, which many machines keep in memory
 */
export function createTemporaryFolder(directory: string): TemporaryFolder {
  return {
    async with(work) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const lent: string[] = [];
      const newPath = () => {
        const file = path.join(directory, newKey());
        lent.push(file);
        return file;
      };
      try {
        return await work({ newPath });
      } finally {
        await Promise.all(lent.map((file) => rm(file, { force: true })));
      }
    },
    async cleanUp(now) {
      const names = await readdir(directory).catch(() => []);
      for (const name of names) {
        const file = path.join(directory, name);
        const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
        if (now.getTime() - mtimeMs > LEFT_BEHIND_MS) await rm(file, { force: true });
      }
    },
  };
}
