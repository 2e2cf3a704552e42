/** Whether there is a server that takes writes, as far as the driver knows. */
import type { MongoClient, TopologyDescription } from 'mongodb';
import { COMMAND_DEADLINE_MS } from '../lib/deadline.ts';
import { unavailable } from '../lib/errors.ts';

/** How often to look whether the store is still there, for work that takes longer than it should. Milliseconds. */
const LOOK_MS = 100;

export interface Reach {
  /**
   * Resolves once there is a server that takes writes, at once while there is one. What is begun without one waits in the
   * driver, for longer than a caller waits for an answer, and would be carried out all the same.
   * @param ms the longest wait, in milliseconds
   * @returns false when there is still none after that
   */
  untilWritable(ms: number): Promise<boolean> | true;
  /**
   * Bounds the time that a caller waits for work while the store is away. Work that is slow for other reasons may go on.
   * @param ms after how many milliseconds the caller gives up; by default the time of a command
   * @throws ContractError `unavailable`
   */
  orAway<T>(work: Promise<T>, ms?: number): Promise<T>;
}

/** To be called before the client connects. */
export function watchReach(client: MongoClient): Reach {
  let isWritable = false;
  const waiting = new Set<() => void>();

  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    isWritable = hasWritable(newDescription);
    if (!isWritable) return;
    for (const release of waiting) release();
    waiting.clear();
  });

  return {
    untilWritable(ms) {
      if (isWritable) return true;
      return new Promise((resolve) => {
        const settle = (result: boolean) => {
          clearTimeout(timer);
          waiting.delete(release);
          resolve(result);
        };
        const release = () => settle(true);
        const timer = setTimeout(() => settle(false), ms);
        waiting.add(release);
      });
    },

    orAway(work, ms = COMMAND_DEADLINE_MS) {
      return new Promise((resolve, reject) => {
        let timer = setTimeout(look, ms);
        function look(): void {
          if (isWritable) timer = setTimeout(look, LOOK_MS);
          else reject(unavailable());
        }
        work.then(resolve, reject).finally(() => clearTimeout(timer));
      });
    },
  };
}

function hasWritable({ servers }: TopologyDescription): boolean {
  return [...servers.values()].some(({ isWritable }) => isWritable);
}
