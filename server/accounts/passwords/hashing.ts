/** Password hashing with bcrypt, in worker threads: the event loop that serves sockets never waits for it. */
import { availableParallelism } from 'node:os';
import { Tinypool } from 'tinypool';
import { rateLimited } from '../../lib/errors.ts';
import { threadFile } from '../../lib/thread-file.ts';

/** bcrypt ignores the bytes beyond these, so that a longer password would match one that only begins alike. */
const MAX_BYTES = 72;
/** Roughly what one hash takes at cost 12, in milliseconds. Each further step doubles it. */
const MS_AT_COST_12 = 300;
/** Requests that would wait longer than this for a thread are refused, in milliseconds. */
const MAX_WAIT_MS = 30_000;
/** When a refused request may try again, in milliseconds: by then the queue is shorter. */
const RETRY_AFTER_MS = 1000;
const MAX_THREADS = 8;
const IDLE_THREAD_MS = 60_000;

export interface PasswordHashing {
  /**
   * @param password at most 72 bytes
   * @throws ContractError `rate_limited` when too many requests are waiting
   */
  hash(password: string): Promise<string>;
  /**
   * Compares a password with a hash, and takes the same time where there is none.
   * @param hash undefined for an unknown user; the result is then false
   * @throws ContractError `rate_limited` when too many requests are waiting
   */
  verify(password: string, hash: string | undefined): Promise<boolean>;
  close(): Promise<void>;
}

/** @param cost the cost factor of bcrypt: 2^cost rounds */
export function createPasswordHashing({ cost }: { cost: number }): PasswordHashing {
  // One per core: at their low priority they take only what messages leave (hashing-thread.ts).
  const threads = Math.min(availableParallelism(), MAX_THREADS);
  const taskMs = MS_AT_COST_12 * 2 ** (cost - 12);
  const maxWaiting = Math.ceil((threads * MAX_WAIT_MS) / taskMs);
  const pool = new Tinypool({
    ...threadFile(import.meta.url, './hashing-thread'),
    minThreads: 1,
    maxThreads: threads,
    idleTimeout: IDLE_THREAD_MS,
    maxQueue: maxWaiting + threads,
  });
  // Well-formed, of this cost, and nobody's: a comparison with it takes as long as any other.
  const dummyHash = `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

  async function run<T>(name: 'hash' | 'verify', task: object): Promise<T> {
    if (pool.queueSize >= maxWaiting) throw rateLimited(RETRY_AFTER_MS);
    return pool.run(task, { name });
  }

  return {
    hash: (password) => run('hash', { password, cost }),
    async verify(password, hash) {
      const isComparable = hash !== undefined && Buffer.byteLength(password) <= MAX_BYTES;
      const matches = await run<boolean>('verify', { password, hash: isComparable ? hash : dummyHash });
      return matches && isComparable;
    },
    close: () => pool.destroy(),
  };
}
