import { unavailable } from './errors.ts';

/** The longest that a command may take, in milliseconds: `unavailable` must come within 5 s (PROTOCOL section 1). */
export const COMMAND_DEADLINE_MS = 4500;

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
