import { unavailable } from './errors.ts';

/** Longest that a command may take: `unavailable` must come within 5 s (PROTOCOL section 10). Milliseconds. */
export const COMMAND_DEADLINE_MS = 4500;

/**
 * The result of the work, if it comes in time. The work itself goes on: what it stores late is found by the sender's
 * repetition under the same `client_message_id`.
 * @throws ContractError `unavailable` when the deadline passes first
 */
export function withDeadline<T>(work: Promise<T>, ms = COMMAND_DEADLINE_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(unavailable()), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
