import type { Caller } from '../dispatch/caller.ts';
import { type AssertTime, startTime } from '../lib/deadline.ts';
import { createKeyedQueue } from '../lib/keyed-queue.ts';

/** @returns the command, carried out when its turn comes, until the time when its answer is due */
export type InTurn = <P, R>(
  command: (caller: Caller, payload: P, assertTime: AssertTime) => Promise<R>,
) => (caller: Caller, payload: P, dueAt?: number) => Promise<R>;

/**
 * Makes commands that put people into groups take turns: one at a time for each user, so that many at once are not all
 * too late. Those whose time is over when their turn comes change nothing.
 */
export function createInTurn(): InTurn {
  const turns = createKeyedQueue('group commands');
  return (command) => (caller, payload, dueAt) => {
    const assertTime = startTime(dueAt);
    return turns.run(caller.id, async () => {
      assertTime();
      return command(caller, payload, assertTime);
    });
  };
}
