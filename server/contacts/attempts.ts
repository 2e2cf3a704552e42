import { unavailable } from '../lib/errors.ts';

/** How often a command starts over because another one was quicker. */
const MAX_ATTEMPTS = 20;

/**
 * Repeats an attempt until it succeeds.
 * @param attempt resolves with undefined or false if another command was quicker
 * @returns what the first successful attempt resolved with
 * @throws ContractError `unavailable` after too many attempts, and whatever an attempt throws
 */
export async function untilDone<T>(
  attempt: () => Promise<T | undefined | false>,
  maxAttempts = MAX_ATTEMPTS,
): Promise<T> {
  for (let count = 0; count < maxAttempts; count++) {
    const result = await attempt();
    if (result !== undefined && result !== false) return result;
  }
  throw unavailable('this contact is changing too quickly; try again');
}
