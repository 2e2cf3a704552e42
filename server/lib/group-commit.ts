/**
 * What concurrent commands ask of the store goes to it as one command (group commit, as databases do with their logs):
 * each command costs this process, the network and the store far more than one more document in it does.
 */

/** How long a key waits for the batches before it, in milliseconds: one that hangs holds nobody up for longer. */
const PATIENCE_MS = 20;

export interface BatchOptions<K> {
  /** How many full batches may be under way: with two, one is made up while the store does the other. */
  atOnce?: number;
  /** What a batch holds at most, … */
  most?: number;
  /** … measured by this, else by the number of keys. A single key may be more. */
  weigh?(key: K): number;
}

interface Asked<K, V> {
  key: K;
  resolve(value: V): void;
  reject(error: unknown): void;
}

/**
 * A batch leaves at the end of the turn of the event loop in which its first key came. While one is under way the next
 * one gathers, and leaves when that is answered, or when it is full: the busier the store, the larger the batches.
 * @param run carries out a batch; gives an answer, or an error, for each key in their order
 * @returns asks for one key; nothing is remembered
 */
export function batched<K, V>(
  run: (keys: readonly K[]) => Promise<(V | Error)[]>,
  { atOnce = 1, most = 200, weigh = () => 1 }: BatchOptions<K> = {},
): (key: K) => Promise<V> {
  const waiting: Asked<K, V>[] = [];
  let weight = 0;
  let underWay = 0;
  let leaving = false;
  let patience: NodeJS.Timeout | undefined;

  function take(): Asked<K, V>[] {
    let taken = 0;
    let count = 0;
    do taken += weigh(waiting[count++]!.key);
    while (count < waiting.length && taken + weigh(waiting[count]!.key) <= most);
    weight -= taken;
    return waiting.splice(0, count);
  }

  /** Whether the next batch may go although its first key has not waited long. */
  const isNext = () => underWay === 0 || (weight >= most && underWay < atOnce);

  async function carryOut(batch: Asked<K, V>[]): Promise<void> {
    underWay++;
    try {
      const answers = await run(batch.map(({ key }) => key));
      for (const [i, { resolve, reject }] of batch.entries()) {
        const answer = answers[i] as V | Error;
        if (answer instanceof Error) reject(answer);
        else resolve(answer);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    underWay--;
    leaveSoon();
  }

  function leave(isOverdue: boolean): void {
    clearTimeout(patience);
    patience = undefined;
    for (let overdue = isOverdue; waiting.length > 0 && (overdue || isNext()); overdue = false) {
      void carryOut(take());
    }
    if (waiting.length > 0) patience = setTimeout(() => leave(true), PATIENCE_MS);
  }

  function leaveSoon(): void {
    if (leaving) return;
    leaving = true;
    setImmediate(() => {
      leaving = false;
      leave(false);
    });
  }

  return (key) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, resolve, reject });
      weight += weigh(key);
      if (isNext()) leaveSoon();
      else patience ??= setTimeout(() => leave(true), PATIENCE_MS);
    });
}
