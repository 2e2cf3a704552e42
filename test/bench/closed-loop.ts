/** Closed loop: each pair keeps some work under way, and begins anew whatever has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pairs } from './pairs.ts';
import type { Side } from './sides.ts';

const WARM_UP_MS = 1000;
const LAST_MS = 10_000;

export interface LoopOptions {
  seconds: number;
  /** Of each pair. */
  underWay: number;
}

export interface LoopResult {
  /** Ended well each second, after the warm-up. */
  perSecond: number;
  /** Milliseconds of processor time for each: of the server and its store, and of the process that makes the load. */
  cpu: { server: number; store: number; load: number };
  /** Ended well in all, warm-up included, and not so. */
  total: number;
  refused: number;
}

/**
 * @param count of pairs
 * @param begin begins one piece of work of a pair, and says when it has ended, and whether well
 */
export async function closedLoop(
  side: Side,
  count: number,
  begin: (pair: number, ended: (ok: boolean) => void) => void,
  { seconds, underWay }: LoopOptions,
): Promise<LoopResult> {
  let [begun, ended, total, running] = [0, 0, 0, true];
  const next = (pair: number) => {
    begun++;
    begin(pair, (ok) => {
      ended++;
      if (ok) total++;
      if (running) next(pair);
    });
  };
  for (let n = 0; n < underWay; n++) for (let pair = 0; pair < count; pair++) next(pair);
  await sleep(WARM_UP_MS);
  const before = await reading(side, total);
  await sleep(seconds * 1000);
  const after = await reading(side, total);
  running = false;
  for (const deadline = Date.now() + LAST_MS; ended < begun; await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`${begun - ended} of ${begun} were never answered`);
  }
  const done = after.total - before.total;
  const each = (spent: number) => spent / done;
  return {
    perSecond: (done / (after.at - before.at)) * 1000,
    cpu: {
      server: each(after.cpu.server - before.cpu.server),
      store: each(after.cpu.store - before.cpu.store),
      load: each(after.load - before.load),
    },
    total,
    refused: ended - total,
  };
}

/** Sends of pairs. What was acknowledged must have been delivered, or the figure means nothing. */
export async function sendingLoop(side: Side, pairs: Pairs, options: LoopOptions): Promise<LoopResult> {
  const before = pairs.received();
  const result = await closedLoop(side, pairs.count, pairs.send, options);
  await expectDelivered(pairs, before + result.total);
  return result;
}

/** @throws Error when fewer messages than that arrive in time */
export async function expectDelivered(pairs: Pairs, acknowledged: number, patienceMs = LAST_MS): Promise<void> {
  for (const deadline = Date.now() + patienceMs; pairs.received() < acknowledged; await sleep(20)) {
    if (Date.now() > deadline) throw new Error(`${acknowledged} acknowledged, ${pairs.received()} delivered`);
  }
}

async function reading(side: Side, total: number) {
  const { user, system } = process.cpuUsage();
  return { total, at: performance.now(), load: (user + system) / 1000, cpu: await side.cpu() };
}
