import { vi } from 'vitest';

/**
 * Tries an assertion until it holds, for thirty seconds at most. For concurrent tests, in which `expect.poll` fails now and
 * then: Vitest forgets which test it is in when another one ends.
 */
export async function eventually(assertion: () => void | Promise<void>): Promise<void> {
  await vi.waitFor(assertion, { timeout: 30_000 });
}
