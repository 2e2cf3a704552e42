/** The end of a move: writes are paused, the last changes carried over, both sides counted, and the source closed for good. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Movable } from '../tool-store.ts';
import type { Carrier } from './carrier.ts';
import { compareCounts, type Sides } from './counts.ts';

/** How long after the last word of this process writes go on by themselves, in milliseconds. */
const LEASE_MS = 5000;
const RENEWED_EVERY_MS = 1000;
/** How long writes are paused at most, in milliseconds: then they go on, and the end is tried again. */
const LONGEST_MS = 30_000;
const ATTEMPTS = 3;
/** With fewer changes in a portion, the last ones take no time worth speaking of. */
const FEW = 200;
/** How many portions are waited for until they are few. */
const MOST_ROUNDS = 1000;
const ROUND_MS = 100;

/** Carries changes over until few are left at a time. */
export async function catchUp(carrier: Carrier): Promise<void> {
  for (let round = 0; round < MOST_ROUNDS && (await carrier.changes()) > FEW; round++);
}

export interface SwitchOptions extends Sides {
  carrier: Carrier;
  movable: Movable;
  /** Where to, without what is secret, and which move it is. */
  moved: { to: string; move: string };
  say(line: string): void;
}

/**
 * @returns how many documents each collection has
 * @throws Error with a one-line message where the sides differ, or writes had to be paused for too long: then they go on,
 *   and where the sides differ the next run compares everything
 */
export async function finish(options: SwitchOptions): Promise<Map<string, number>> {
  for (let attempt = 1; ; attempt++) {
    await catchUp(options.carrier);
    const begun = performance.now();
    try {
      const counts = await finishPaused(options);
      options.say(`writes were paused for ${seconds(begun)} s until then`);
      return counts;
    } catch (error) {
      await options.movable.resume().catch(() => {});
      if (!(error instanceof TooLong)) await options.carrier.distrust().catch(() => {});
      if (!(error instanceof TooLong) || attempt === ATTEMPTS) throw error;
      options.say(`writes go on: ${error.message}`);
      await pause(ROUND_MS);
    }
  }
}

class TooLong extends Error {}

async function finishPaused(options: SwitchOptions): Promise<Map<string, number>> {
  const { movable, moved, say } = options;
  const until = performance.now() + LONGEST_MS;
  const paused = await movable.pause(LEASE_MS);
  say('writes are paused');
  // A call that comes after the pause has ended begins another pause, which `finish` tells from this one.
  const renewing = setInterval(() => void movable.pause(LEASE_MS).catch(() => {}), RENEWED_EVERY_MS);
  try {
    const counts = await carryOverAll(options, until);
    await movable.finish(paused, moved);
    return counts;
  } finally {
    clearInterval(renewing);
  }
}

async function carryOverAll(options: SwitchOptions, until: number): Promise<Map<string, number>> {
  const { carrier } = options;
  function assertTime(): void {
    if (performance.now() > until) throw new TooLong('the last changes and the counts took too long');
  }
  while ((await carrier.changes()) > 0) assertTime();
  const [left] = carrier.deferred();
  if (left) throw new Error(`${String(left.id)} of ${left.collection} is refused by a unique index of the target`);
  const counts = new Map<string, number>();
  const at = new Date();
  for (const name of await carrier.collections()) {
    counts.set(name, await compareCounts(options, { name, expiries: await carrier.expiriesOf(name), at }));
    assertTime();
  }
  return counts;
}

const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1);
