import type { Logger } from 'pino';
import type { TemporaryFolder } from './temporary-folder.ts';

export interface CleaningOptions {
  everyMs: number;
  clock(): Date;
  log: Logger;
}

/** Cleans the temporary folder now and from time to time. @returns how to stop, after a run in progress */
export function cleanRegularly(
  temporary: TemporaryFolder,
  { everyMs, clock, log }: CleaningOptions,
): { close(): Promise<void> } {
  let cleaning = Promise.resolve();
  const clean = () => {
    cleaning = cleaning
      .then(() => temporary.cleanUp(clock()))
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
