/** Finds out what uploads are, in worker threads. */
import { ContractError, invalid } from '../../lib/errors.ts';
import { createThreadPool } from '../../lib/thread-pool.ts';
import type { Inspected } from './file-type.ts';
import type { InspectedMedia } from './worker.ts';

/** Files that may be inspected at once, each in a thread: more would wait, and their time would run. */
export const INSPECTED_AT_ONCE = 2;
/** Longest time for one file, in milliseconds; only a crafted file needs more. */
const TIMEOUT_MS = 20_000;
/** Memory of a thread, in MiB. */
const HEAP_MIB = 128;
/** The type of a file at `/files` that could not be inspected. */
const UNKNOWN: Inspected = { mimeType: 'application/octet-stream', extension: 'bin' };

export interface Inspection {
  /** Finds the type of any file by its content. */
  file(path: string): Promise<Inspected>;
  /**
   * Inspects an image, video or audio file.
   * @throws ContractError `unsupported_media_type` for any other file, `validation_failed` for one whose end is missing
   */
  media(path: string): Promise<InspectedMedia>;
  close(): Promise<void>;
}

/** Starts no thread before it is needed, and ends it after a minute without a file. */
export function createInspection(): Inspection {
  const pool = createThreadPool('media/inspect/worker', {
    maxThreads: INSPECTED_AT_ONCE,
    idleTimeout: 60_000,
    heapMib: HEAP_MIB,
  });

  function run<T>(name: 'inspectFile' | 'inspectMedia', path: string): Promise<T> {
    return pool.run<T>(name, path, AbortSignal.timeout(TIMEOUT_MS));
  }

  /** Only the type of a film or sound that takes a parser too much time or memory: players are more patient. */
  async function typeAlone(path: string): Promise<InspectedMedia | 'damaged'> {
    const inspected = await run<Inspected>('inspectFile', path);
    const mediaType = inspected.mimeType.split('/')[0];
    return mediaType === 'video' || mediaType === 'audio' ? { ...inspected, mediaType } : 'damaged';
  }

  return {
    file: (path) => run<Inspected>('inspectFile', path).catch(() => UNKNOWN),
    async media(path) {
      const found = await run<InspectedMedia | 'damaged' | undefined>('inspectMedia', path)
        .catch(() => typeAlone(path))
        .catch(() => 'damaged' as const);
      if (found === 'damaged') throw invalid('file', 'is damaged or incomplete');
      if (!found) throw new ContractError('unsupported_media_type', 'the file is neither an image, a video nor audio');
      return found;
    },
    close: pool.close,
  };
}
