import { unavailable } from './errors.ts';

/** The longest that a command may take, in milliseconds: `unavailable` must come within 5 s (PROTOCOL section 1). */
export const COMMAND_DEADLINE_MS = 4500;

/** How long before its deadline a command must have begun the write that decides, in milliseconds. */
const WRITE_MS = 1000;

/** Refuses to go on when too little time is left. @throws ContractError `unavailable` */
export type AssertTime = () => void;

/**
 * Starts the time of a command that writes several documents. Who asks before the write that decides is never answered
 * `unavailable` for what is done, unless that one write takes longer than a second.
 */
export function startTime(): AssertTime {
  const until = performance.now() + COMMAND_DEADLINE_MS - WRITE_MS;
  return () => {
    if (performance.now() > until) throw unavailable('too much to do; nothing was changed');
  };
}

/**
 * Bounds the time that a caller waits for work. The work itself goes on: what it stores late is found when the sender
 * repeats the command under the same `client_message_id`.
 * @throws ContractError `unavailable` when the deadline passes first
 */
export function withDeadline<T>(work: Promise<T>, ms = COMMAND_DEADLINE_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(unavailable()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
