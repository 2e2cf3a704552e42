/** The thread that hashes and compares passwords: bcryptjs keeps a core busy for a third of a second. */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { compareSync, hashSync } from 'bcryptjs';

yieldToMessages();

/** Lowers this thread's priority, so that messages go before sign-ins. Only Linux schedules threads one by one. */
function yieldToMessages(): void {
  try {
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').pop());
    setPriority(threadId, constants.priority.PRIORITY_LOW);
  } catch {
    // Other systems give threads no priority of their own.
  }
}

/** @returns the bcrypt hash of a password of at most 72 bytes */
export function hash({ password, cost }: { password: string; cost: number }): string {
  return hashSync(password, cost);
}

/** @returns whether the hash is the password's */
export function verify({ password, hash }: { password: string; hash: string }): boolean {
  return compareSync(password, hash);
}
