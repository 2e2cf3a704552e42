import type { Logger } from 'pino';
import type { TemporaryFolder } from './temporary-folder.ts';

export interface CleaningOptions {
  everyMs: number;
  log: Logger;
}

/** Cleans the temporary folder now and from time to time. @returns how to stop, after a run in progress */
export function cleanRegularly(
  temporary: TemporaryFolder,
  { everyMs, log }: CleaningOptions,
): { close(): Promise<void> } {
  let cleaning = Promise.resolve();
  const clean = () => {
    cleaning = cleaning
      // By this machine's own time, which is that of its files.
      .then(() => temporary.cleanUp(new Date()))
      .catch((err: unknown) => log.warn({ err }, 'temporary files could not be cleaned up'));
  };
  clean();
  const timer = setInterval(clean, everyMs);
  timer.unref();
  return {
    close() {
      clearInterval(timer);
      return cleaning;
    },
  };
}
