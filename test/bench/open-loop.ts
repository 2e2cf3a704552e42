/** Open loop: so many messages each second, whatever happens to them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expectDelivered } from './closed-loop.ts';
import { connectPairs } from './pairs.ts';
import type { Side } from './sides.ts';

const WARM_UP_MS = 1000;
const PAIRS = 32;
const LAST_MS = 10_000;

export interface OpenLoop {
  perSecond: number;
  seconds: number;
  /** Called when the warm-up is over. */
  onMeasuring?: () => unknown;
}

export interface OpenLoopResult {
  /** Milliseconds from the beginning to the answer, of each piece of work after the warm-up. */
  latencies: number[];
  /** Answered well, warm-up included. */
  acknowledged: number;
}

/** @param begin begins the piece of work of that number, and says when it was answered, and whether well */
export async function openLoop(
  begin: (number: number, ended: (ok: boolean) => void) => void,
  { perSecond, seconds, onMeasuring = () => {} }: OpenLoop,
): Promise<OpenLoopResult> {
  const measured: number[] = [];
  const count = { sent: 0, answered: 0, acknowledged: 0 };
  const startedAt = performance.now();
  let measuring = false;
  for (;;) {
    const now = performance.now();
    if (!measuring && now - startedAt > WARM_UP_MS) {
      measuring = true;
      await onMeasuring();
    }
    if (now - startedAt > WARM_UP_MS + seconds * 1000) break;
    for (const due = ((now - startedAt) * perSecond) / 1000; count.sent < due; count.sent++) {
      const at = performance.now();
      const counts = measuring;
      begin(count.sent, (ok) => {
        count.answered++;
        if (ok) count.acknowledged++;
        if (counts) measured.push(performance.now() - at);
      });
    }
    await sleep(1);
  }
  for (const deadline = Date.now() + LAST_MS; count.answered < count.sent; await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`${count.sent - count.answered} of ${count.sent} were never answered`);
  }
  if (count.acknowledged < count.sent) {
    console.log(`${count.sent - count.acknowledged} of ${count.sent} messages were refused`);
  }
  return { latencies: measured, acknowledged: count.acknowledged };
}

/**
 * Messages of pairs.
 * @param onMeasuring called when the warm-up is over
 * @returns milliseconds from sending to acknowledgement, of each message
 */
export async function latencies(
  side: Side,
  perSecond: number,
  seconds: number,
  onMeasuring?: () => unknown,
): Promise<number[]> {
  const pairs = await connectPairs(side, PAIRS);
  const result = await openLoop((number, ended) => pairs.send(number % PAIRS, ended), {
    perSecond,
    seconds,
    ...(onMeasuring ? { onMeasuring } : {}),
  });
  await expectDelivered(pairs, result.acknowledged);
  pairs.close();
  return result.latencies;
}
