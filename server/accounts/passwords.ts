/** Password hashes, computed in worker threads so that the event loop that serves sockets never waits for them. */
import { availableParallelism } from 'node:os';
import { Tinypool } from 'tinypool';
import { rateLimited } from '../lib/errors.ts';
import { threadFile } from '../lib/thread-file.ts';

/** bcrypt looks at no more: a longer password is not the one that was hashed, even if it begins alike. */
const MAX_BYTES = 72;
/** Roughly what one hash takes at cost 12, in milliseconds; each step of the cost doubles it. */
const MS_AT_COST_12 = 300;
/** Who would wait longer for a thread is refused at once, in milliseconds. */
const MAX_WAIT_MS = 30_000;
/** When they may try again: some will have been served by then. */
const RETRY_AFTER_MS = 1000;
const MAX_THREADS = 8;

export interface Passwords {
  /**
   * @param password at most 72 bytes
   * @throws ContractError `rate_limited` when too many wait already
   */
  hash(password: string): Promise<string>;
  /**
   * Takes the same time whether there is a hash to compare with or not.
   * @param hash undefined for an unknown user: the answer is false
   * @throws ContractError `rate_limited` when too many wait already
   */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  close(): Promise<void>;
}

/** @param cost of bcrypt: two to the power of it rounds */
export function createPasswords({ cost }: { cost: number }): Passwords {
  // One for each core, for they only take what messages leave (password-worker.ts).
  const threads = Math.min(availableParallelism(), MAX_THREADS);
  const taskMs = MS_AT_COST_12 * 2 ** (cost - 12);
  const maxWaiting = Math.ceil((threads * MAX_WAIT_MS) / taskMs);
  const pool = new Tinypool({
    ...threadFile(import.meta.url, './password-worker'),
    minThreads: 1,
    maxThreads: threads,
    idleTimeout: 60_000,
    maxQueue: maxWaiting + threads,
  });
  // Well-formed, of this cost, and nobody's: comparing with it takes as long as with any other.
  const dummyHash = `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

  async function run<T>(name: 'hash' | 'verify', task: object): Promise<T> {
    if (pool.queueSize >= maxWaiting) throw rateLimited(RETRY_AFTER_MS);
    return pool.run(task, { name });
  }

  return {
    hash: (password) => run('hash', { password, cost }),
    async verify(password, hash) {
      const comparable = hash !== undefined && Buffer.byteLength(password) <= MAX_BYTES;
      const matches = await run<boolean>('verify', { password, hash: comparable ? hash : dummyHash });
      return matches && comparable;
    },
    close: () => pool.destroy(),
  };
}
