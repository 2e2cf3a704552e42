/**
 * Work in lanes, one lane for each key: in order within a lane, side by side between lanes. Tasks that wait behind each
 * other in a lane leave as one batch (group commit): the busier a lane, the larger its batches.
 */

import { batchMeasures } from './batch-measures.ts';
import { queueMeasures } from './queue-measures.ts';
import { type Origin, tracing } from './tracing.ts';

export interface Lanes<T> {
  /** Adds a task to the batch at the end of its lane. */
  join(key: string, task: T): void;
  /** Resolves when all lanes are empty. */
  idle(): Promise<void>;
}

/** Tasks that leave together. */
interface Batch<T> {
  tasks: T[];
  /** Since when the first of them waits, by `performance.now()`. */
  since: number;
  /** What asked for each task, where that is traced. */
  origins: (Origin | undefined)[] | undefined;
}

/**
 * Holds a key only while its lane has work.
 * @param name tells its work from other, in metrics
 * @param carryOut carries out a batch and settles each of its tasks, failed ones too: it must not reject
 * @param most how many tasks a batch holds at most
 * @param belong whether a task may join a batch with another one
 */
export function createLanes<T>(
  name: string,
  carryOut: (batch: T[]) => Promise<void>,
  most: number,
  belong: (one: T, other: T) => boolean = () => true,
): Lanes<T> {
  const { length } = queueMeasures(name);
  const batches = batchMeasures(name);
  /** The batches of each lane; the last one can still be joined. */
  const lanes = new Map<string, Batch<T>[]>();
  let onIdle: (() => void)[] = [];

  async function drain(key: string, lane: Batch<T>[]): Promise<void> {
    // In an empty lane too, a batch takes along what joins right behind its first task.
    await Promise.resolve();
    for (let next = lane.shift(); next; next = lane.shift()) {
      const { tasks, since, origins } = next;
      batches.size.observe(tasks.length);
      batches.waited.observe((performance.now() - since) / 1000);
      await (tracing && origins ? tracing.within(origins, () => carryOut(tasks)) : carryOut(tasks));
      length.add(-tasks.length);
    }
    lanes.delete(key);
    if (lanes.size > 0) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  }

  return {
    join(key, task) {
      length.add();
      const lane = lanes.get(key);
      const last = lane?.at(-1);
      if (last && last.tasks.length < most && belong(last.tasks[0]!, task)) {
        last.tasks.push(task);
        last.origins?.push(tracing?.origin());
        return;
      }
      const batch = { tasks: [task], since: performance.now(), origins: tracing && [tracing.origin()] };
      if (lane) {
        lane.push(batch);
        return;
      }
      const opened = [batch];
      lanes.set(key, opened);
      void drain(key, opened);
    },
    async idle() {
      while (lanes.size > 0) await new Promise<void>((resolve) => onIdle.push(resolve));
    },
  };
}
