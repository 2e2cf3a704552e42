/**
 * Takes turns between users, however many tasks one of them has (start-time fair queuing, Goyal and others, 1996, with
 * tasks of equal weight). Tasks are of classes, from cheap to costly, and none waits behind a costlier one.
 */
import { rateLimited, unavailable } from './errors.ts';
import { queueMeasures } from './queue-measures.ts';

/** What may run at once of a class and of the costlier ones together. */
export interface TaskClass {
  most: number;
  mostPerUser: number;
}

export interface TieredQueueOptions {
  /** Tells it from other queues, in metrics. */
  name: string;
  /** From cheap to costly. A class that may run more than the next has a slot that no costlier task takes. */
  classes: TaskClass[];
  /** How many tasks may wait, of one user and in all. */
  mostWaitingPerUser: number;
  mostWaiting: number;
}

export interface TieredQueue {
  /**
   * Carries out a task when its turn has come.
   * @param taskClass its place in `classes`
   * @returns what the task returns; rejects as it does
   * @throws ContractError `rate_limited` when too many tasks of the user wait, `unavailable` when too many do in all
   */
  run<T>(user: string, taskClass: number, task: () => Promise<T>): Promise<T>;
}

interface Entry {
  user: string;
  taskClass: number;
  /** Its place in the order: a user's tasks follow each other by one, from where the queue is when the first comes. */
  turn: number;
  start(): void;
}

/** When a user whose tasks wait may try again, in milliseconds. */
const RETRY_MS = 10_000;

export function createTieredQueue(options: TieredQueueOptions): TieredQueue {
  const { name, classes, mostWaitingPerUser, mostWaiting } = options;
  const { length, waited } = queueMeasures(name);
  /** In the order of arrival. */
  const waiting: Entry[] = [];
  const running: Entry[] = [];
  /** By class: the turn that the queue has come to. */
  const turns = classes.map(() => 0);

  function nextTurn(user: string, taskClass: number): number {
    const own = [...running, ...waiting].filter((entry) => entry.user === user && entry.taskClass === taskClass);
    return Math.max(turns[taskClass]!, ...own.map(({ turn }) => turn + 1));
  }

  function mayRun({ user, taskClass }: Entry): boolean {
    // Costlier tasks take room from cheaper classes, not the other way round.
    return classes.slice(0, taskClass + 1).every(({ most, mostPerUser }, least) => {
      const counted = running.filter((entry) => entry.taskClass >= least);
      return counted.length < most && counted.filter((entry) => entry.user === user).length < mostPerUser;
    });
  }

  /** The costliest first: a slot is left for cheap ones in any case. */
  function next(): Entry | undefined {
    return waiting
      .filter(mayRun)
      .reduce<Entry | undefined>(
        (best, entry) =>
          !best || entry.taskClass > best.taskClass || (entry.taskClass === best.taskClass && entry.turn < best.turn)
            ? entry
            : best,
        undefined,
      );
  }

  function startAll(): void {
    for (let entry = next(); entry; entry = next()) {
      waiting.splice(waiting.indexOf(entry), 1);
      running.push(entry);
      turns[entry.taskClass] = Math.max(turns[entry.taskClass]!, entry.turn);
      entry.start();
    }
  }

  return {
    async run(user, taskClass, task) {
      if (waiting.filter((entry) => entry.user === user).length >= mostWaitingPerUser) throw rateLimited(RETRY_MS);
      if (waiting.length >= mostWaiting) throw unavailable('too much waits to be processed; nothing was accepted');
      const entry = { user, taskClass, turn: nextTurn(user, taskClass), start: () => {} };
      const since = performance.now();
      length.add();
      await new Promise<void>((resolve) => {
        entry.start = resolve;
        waiting.push(entry);
        startAll();
      });
      waited.observe((performance.now() - since) / 1000);
      try {
        return await task();
      } finally {
        length.add(-1);
        running.splice(running.indexOf(entry), 1);
        startAll();
      }
    },
  };
}
