/** Finds out what uploads are, in a worker thread. */
import { Tinypool } from 'tinypool';
import { ContractError, invalid } from '../lib/errors.ts';
import { threadFile } from '../lib/thread-file.ts';
import type { Inspected, InspectedMedia } from './inspection-worker.ts';

/** A file that keeps the parser busy for longer is made to do so, in milliseconds. */
const LONGEST_MS = 20_000;
/** What a file is that keeps the thread from finding out. */
const UNKNOWN: Inspected = { mimeType: 'application/octet-stream', extension: 'bin' };
/** Memory that parsing may take, in MiB. */
const HEAP_MIB = 128;

export interface Inspection {
  /** What any file is, by its content. */
  file(path: string): Promise<Inspected>;
  /**
   * What an image, video or audio file is.
   * @throws ContractError `unsupported_media_type` when it is none of these, `validation_failed` when it is damaged
   */
  media(path: string): Promise<InspectedMedia>;
  close(): Promise<void>;
}

export function createInspection(): Inspection {
  const pool = new Tinypool({
    ...threadFile(import.meta.url, './inspection-worker'),
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: 60_000,
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
  });
  const damaged = () => invalid('file', 'is damaged or incomplete');

  async function run<T>(name: 'inspectFile' | 'inspectMedia', path: string): Promise<T> {
    const overdue = AbortSignal.timeout(LONGEST_MS);
    return pool.run(path, { name, signal: overdue });
  }

  return {
    file: (path) => run<Inspected>('inspectFile', path).catch(() => UNKNOWN),
    async media(path) {
      const found = await run<InspectedMedia | 'damaged' | undefined>('inspectMedia', path).catch(
        () => 'damaged' as const,
      );
      if (found === 'damaged') throw damaged();
      if (!found) throw new ContractError('unsupported_media_type', 'neither an image nor video nor audio');
      return found;
    },
    close: () => pool.destroy(),
  };
}
