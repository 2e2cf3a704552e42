/** Temporary files of uploads that are being worked on. */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LivingProcesses } from './living-processes.ts';
import { newKey } from './storage.ts';

/** A file whose process may be alive counts as left behind when it was not written to for this long. Milliseconds. */
const LEFT_BEHIND_MS = 24 * 60 * 60 * 1000;

/** The temporary files of one piece of work. */
export interface TemporaryFiles {
  /** @returns a path where no file exists yet */
  newPath(): string;
}

export interface TemporaryFolder {
  /** Lends temporary files to a piece of work and removes them when it ends, whether it succeeds or fails. */
  with<T>(work: (files: TemporaryFiles) => Promise<T>): Promise<T>;
  /** Removes what processes that are gone left behind. */
  cleanUp(now: Date): Promise<void>;
}

/**
 * @param directory created if missing, readable by the server's user only. Not the system's folder for temporary
 *   files, which many machines keep in memory
 * @param processes those that share the directory: each file is named after the one that made it
 */
export function createTemporaryFolder(directory: string, processes: LivingProcesses): TemporaryFolder {
  return {
    async with(work) {
      const owner = await processes.ownName();
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const lent: string[] = [];
      const newPath = () => {
        const file = path.join(directory, `${owner}-${newKey()}`);
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
      const owners = new Set(names.map(ownerOf));
      const gone = new Set<string>();
      for (const owner of owners) if (await processes.isGone(owner)) gone.add(owner);
      for (const name of names) {
        const file = path.join(directory, name);
        const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
        const isOld = now.getTime() - mtimeMs > LEFT_BEHIND_MS;
        if (isOld || gone.has(ownerOf(name))) await rm(file, { force: true });
      }
      await processes.cleanUp(now);
    },
  };
}

/** The name of the process that made a file. */
function ownerOf(filename: string): string {
  return filename.split('-')[0]!;
}
