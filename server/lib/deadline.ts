import { unavailable } from './errors.ts';

/** The longest that a command may take, in milliseconds: `unavailable` must come within 5 s (PROTOCOL section 1). */
export const COMMAND_DEADLINE_MS = 4500;

/**
 * The longest that the store takes for a write while it is well, in milliseconds. Work whose turn comes when less is
 * left before its answer is due is not begun: it would be carried out, and answered `unavailable` all the same.
 */
export const WRITE_MS = 1000;

/** Refuses to go on when too little time is left. @throws ContractError `unavailable` */
export type AssertTime = () => void;

/** @param dueAt when the answer is due, by `performance.now()`; undefined where nobody waits for one */
export function isTooLate(dueAt: number | undefined): boolean {
  return dueAt !== undefined && performance.now() > dueAt - WRITE_MS;
}

/** Rejects tasks that waited for so long that they could not be answered in time. @returns the others */
export function inTime<T extends { dueAt?: number | undefined; reject(error: unknown): void }>(
  tasks: readonly T[],
  refusal: () => Error,
): T[] {
  return tasks.filter((task) => {
    const isLate = isTooLate(task.dueAt);
    if (isLate) task.reject(refusal());
    return !isLate;
  });
}

/**
 * The time of a command that writes several documents. A command that asks before its deciding write is never answered
 * `unavailable` for what is done, unless that one write takes longer than a second.
 * @param dueAt when the answer is due, by `performance.now()`; by default a command's time from now on
 */
export function startTime(dueAt = performance.now() + COMMAND_DEADLINE_MS): AssertTime {
  return () => {
    if (isTooLate(dueAt)) throw unavailable('too much to do; nothing was changed');
  };
}

/**
 * Bounds the time that a caller waits for work. The work itself goes on: what it stores late is found when the sender
 * repeats the command under the same `client_message_id`. An answer that came while this process was busy is in time:
 * timers run before what has arrived is read, and `setImmediate` runs after it.
 * @throws ContractError `unavailable` when the deadline passes first
 */
export function withDeadline<T>(work: Promise<T>, ms = COMMAND_DEADLINE_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => setImmediate(() => reject(unavailable())), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Waits for work, but for `ms` milliseconds at most. The work itself goes on. @throws what it rejects with */
export async function waitAtMost(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
