/**
 * Work in lanes, one lane for each key: in order within a lane, side by side between lanes. Tasks that wait behind each
 * other in a lane leave as one batch (group commit): the busier a lane, the larger its batches.
 */

export interface Lanes<T> {
  /** Adds a task to the batch at the end of its lane. */
  join(key: string, task: T): void;
  /**
   * Runs work alone, after what is in the lane and before what joins it later.
   * @returns what the work returns; rejects as it does
   */
  run<R>(key: string, work: () => Promise<R>): Promise<R>;
  /** Resolves when all lanes are empty. */
  idle(): Promise<void>;
}

/** What waits in a lane: a batch that can still be joined where it is the last, or work that runs alone. */
type Waiting<T> = T[] | (() => Promise<void>);

/**
 * Holds a key only while its lane has work.
 * @param carryOut carries out a batch and settles each of its tasks, failed ones too: it must not reject
 * @param most how many tasks a batch holds at most
 */
export function createLanes<T>(carryOut: (batch: T[]) => Promise<void>, most: number): Lanes<T> {
  const lanes = new Map<string, Waiting<T>[]>();
  let onIdle: (() => void)[] = [];

  async function drain(key: string, lane: Waiting<T>[]): Promise<void> {
    // In an empty lane too, a batch takes along what joins right behind its first task.
    await Promise.resolve();
    for (let next = lane.shift(); next; next = lane.shift()) {
      await (typeof next === 'function' ? next() : carryOut(next));
    }
    lanes.delete(key);
    if (lanes.size > 0) return;
    for (const resolve of onIdle) resolve();
    onIdle = [];
  }

  function add(key: string, waiting: Waiting<T>): void {
    const lane = lanes.get(key);
    if (lane) {
      lane.push(waiting);
      return;
    }
    const opened = [waiting];
    lanes.set(key, opened);
    void drain(key, opened);
  }

  return {
    join(key, task) {
      const last = lanes.get(key)?.at(-1);
      if (Array.isArray(last) && last.length < most) last.push(task);
      else add(key, [task]);
    },
    run: (key, work) => new Promise((resolve, reject) => add(key, () => work().then(resolve, reject))),
    async idle() {
      while (lanes.size > 0) await new Promise<void>((resolve) => onIdle.push(resolve));
    },
  };
}
