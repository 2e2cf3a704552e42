/** A group runs actions for at most this many milliseconds. The others go with the next one, and the first get their answers. */
const LONGEST_GROUP_MS = 4;

interface Waiting {
  run(): void;
  resolve(): void;
  reject(error: unknown): void;
}

export interface GroupCommit {
  /** As `Storage.write`. */
  write<T>(action: () => T): Promise<T>;
  /** Drops what waits. */
  stop(): void;
}

/**
 * Runs the writes that wait together and makes them durable together.
 * @param begin called before the actions of a group run; if it throws, no write that waits is run
 * @param persist called after them; resolves when their changes are on disk
 */
export function createGroupCommit(begin: () => void, persist: () => Promise<void>): GroupCommit {
  let waiting: Waiting[] = [];
  let stopped = false;

  function runGroup(): void {
    if (stopped) return;
    try {
      begin();
    } catch (error) {
      const refused = waiting;
      waiting = [];
      for (const { reject } of refused) reject(error);
      return;
    }
    const until = performance.now() + LONGEST_GROUP_MS;
    let count = 0;
    while (count < waiting.length && performance.now() < until) waiting[count++]!.run();
    const group = waiting.slice(0, count);
    waiting = waiting.slice(count);
    if (waiting.length > 0) setImmediate(runGroup);
    persist().then(
      () => {
        for (const { resolve } of group) resolve();
      },
      (error: unknown) => {
        for (const { reject } of group) reject(error);
      },
    );
  }

  return {
    write<T>(action: () => T): Promise<T> {
      return new Promise((resolve, reject) => {
        let settle = () => {};
        waiting.push({
          run() {
            try {
              const result = action();
              settle = () => resolve(result);
            } catch (error) {
              settle = () => reject(error);
            }
          },
          resolve: () => settle(),
          reject,
        });
        if (waiting.length === 1) setImmediate(runGroup);
      });
    },
    stop() {
      stopped = true;
    },
  };
}
