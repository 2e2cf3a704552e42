/** Files that live as long as one upload is worked on. */
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ContractError } from '../lib/errors.ts';
import type { Pace } from './pace.ts';
import { newKey } from './storage.ts';

/** What a crash left is removed when nothing was written to it for so long, in milliseconds. */
const LEFT_AFTER_MS = 24 * 60 * 60 * 1000;

/** Paths lent to a piece of work. */
export interface TemporaryFiles {
  /** A path that nothing is at yet. */
  newPath(): string;
}

export interface TemporaryFolder {
  /**
   * Lends temporary files to a piece of work and removes them when it ends, however it ends.
   * @param work what is done with them
   */
  with<T>(work: (files: TemporaryFiles) => Promise<T>): Promise<T>;
  /** Removes what crashes left behind. */
  cleanUp(now: Date): Promise<void>;
}

/**
 * @param directory made when it is missing, readable by nobody else. Not the system's own folder for such files: that
 *   is kept in memory on many machines
 */
export function createTemporaryFolder(directory: string): TemporaryFolder {
  return {
    async with(work) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const made: string[] = [];
      const newPath = () => {
        const file = path.join(directory, newKey());
        made.push(file);
        return file;
      };
      try {
        return await work({ newPath });
      } finally {
        await Promise.all(made.map((file) => rm(file, { force: true })));
      }
    },
    async cleanUp(now) {
      const names = await readdir(directory).catch(() => []);
      for (const name of names) {
        const file = path.join(directory, name);
        const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
        if (now.getTime() - mtimeMs > LEFT_AFTER_MS) await rm(file, { force: true });
      }
    },
  };
}

export interface SpoolTarget {
  file: string;
  /** More than this is refused before it is written. */
  maxBytes: number;
  /** Waits after each piece. */
  rest: Pace['rest'];
}

/**
 * Writes a stream to a new file at the pace of the disk.
 * @returns how many bytes it was
 * @throws ContractError `payload_too_large`
 */
export async function spool(source: AsyncIterable<Buffer>, { file, maxBytes, rest }: SpoolTarget): Promise<number> {
  let size = 0;
  const counted = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      size += chunk.length;
      if (size > maxBytes) throw new ContractError('payload_too_large', `more than ${maxBytes} bytes`);
      yield chunk;
      await rest(chunk.length);
    }
  };
  await pipeline(source, counted, createWriteStream(file, { flags: 'wx', mode: 0o600 }));
  return size;
}
