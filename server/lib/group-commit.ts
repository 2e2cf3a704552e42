/**
 * Group commit, as databases do it with their logs: requests that concurrent commands make of the store travel as one.
 * A request costs this process, the network and the store far more than one more document in it.
 */

import { batchMeasures } from './batch-measures.ts';
import { type Origin, tracing } from './tracing.ts';

/** The longest that a key waits for the batches before it, in milliseconds: a batch that hangs holds up no other. */
const PATIENCE_MS = 20;

export interface BatchOptions<K> {
  /** How many full batches may be under way at once: with two, one fills while the store works on the other. */
  atOnce?: number;
  /** The largest weight of a batch; a single key may weigh more. */
  most?: number;
  /** The weight of a key; by default 1. */
  weigh?(key: K): number;
}

interface Asked<K, V> {
  key: K;
  resolve(value: V): void;
  reject(error: unknown): void;
  /** What asked for it, where that is traced. */
  origin: Origin | undefined;
}

/**
 * Batches requests. A batch leaves at the end of the event loop turn in which its first key arrived. While it is under
 * way the next one gathers, and leaves when the first is answered or when it is full itself: the busier the store, the
 * larger the batches.
 * @param name tells its batches from others, in metrics
 * @param run carries out a batch and returns an answer or an error for each key, in order
 * @returns a function that requests one key; results are not cached
 */
export function batched<K, V>(
  name: string,
  run: (keys: readonly K[]) => Promise<(V | Error)[]>,
  { atOnce = 1, most = 200, weigh = () => 1 }: BatchOptions<K> = {},
): (key: K) => Promise<V> {
  const measured = batchMeasures(name);
  const waiting: Asked<K, V>[] = [];
  /** Since when the first key waits, by `performance.now()`. */
  let waitingSince = 0;
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
    const now = performance.now();
    measured.size.observe(count);
    measured.waited.observe((now - waitingSince) / 1000);
    waitingSince = now;
    return waiting.splice(0, count);
  }

  /** Whether the next batch may leave before its first key is overdue. */
  const isNext = () => underWay === 0 || (weight >= most && underWay < atOnce);

  async function carryOut(batch: Asked<K, V>[]): Promise<void> {
    underWay++;
    try {
      const keys = batch.map(({ key }) => key);
      const origins = tracing && batch.map(({ origin }) => origin);
      const answers = await (tracing && origins ? tracing.within(origins, () => run(keys)) : run(keys));
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
      if (waiting.length === 0) waitingSince = performance.now();
      waiting.push({ key, resolve, reject, origin: tracing?.origin() });
      weight += weigh(key);
      if (isNext()) leaveSoon();
      else patience ??= setTimeout(() => leave(true), PATIENCE_MS);
    });
}
