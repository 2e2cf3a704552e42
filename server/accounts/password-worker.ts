/** The thread in which passwords are hashed and compared: bcryptjs keeps a core busy for a third of a second. */
import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { compareSync, hashSync } from 'bcryptjs';

yieldToMessages();

/** Linux schedules each thread by its own priority: whoever sends messages goes before whoever signs in. */
function yieldToMessages(): void {
  try {
    const threadId = Number(readlinkSync('/proc/thread-self').split('/').pop());
    setPriority(threadId, constants.priority.PRIORITY_LOW);
  } catch {
    // Elsewhere threads have no priority of their own.
  }
}

/** The bcrypt hash of a password of at most 72 bytes. */
export function hash({ password, cost }: { password: string; cost: number }): string {
  return hashSync(password, cost);
}

/** Whether a password is the one that was hashed. */
export function verify({ password, hash }: { password: string; hash: string }): boolean {
  return compareSync(password, hash);
}
