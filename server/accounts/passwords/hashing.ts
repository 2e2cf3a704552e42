/**
 * Password hashing with bcrypt, in worker threads: the event loop that serves sockets never waits for it. Whoever asks
 * waits in a line of their own, so that a flood of sign-ins from one place delays no others.
 */
import { availableParallelism } from 'node:os';
import { BCRYPT_MAX_BYTES } from '../../lib/bcrypt-limit.ts';
import { rateLimited } from '../../lib/errors.ts';
import { createFairQueue } from '../../lib/fair-queue.ts';
import { createThreadPool } from '../../lib/thread-pool.ts';

/** Stored in place of a hash where a user has no password: no hash is empty, so nothing matches it. */
export const NO_PASSWORD = '';
/** Roughly what one hash takes at cost 12, in milliseconds. Each further step doubles it. */
const MS_AT_COST_12 = 300;
/**
 * How much work may wait, in the milliseconds that it takes altogether. Beyond that the longest line is cut: a flood's,
 * not that of whoever has just come.
 */
const MAX_WAIT_MS = 30_000;
/** When a refused request may try again, in milliseconds: by then the queue is shorter. */
const RETRY_AFTER_MS = 1000;
const MAX_THREADS = 8;
const IDLE_THREAD_MS = 60_000;

/** @param party who asks: a network, or a user. Those who are not named share a line */
export interface PasswordHashing {
  /**
   * @param password at most 72 bytes in NFC, the form that is hashed
   * @throws ContractError `rate_limited` when too many requests are waiting
   */
  hash(password: string, party?: string): Promise<string>;
  /**
   * Compares a password with a hash, as it was given and then in NFC, and takes the same time where there is no hash.
   * @param hash undefined for an unknown user, `NO_PASSWORD` for one without a password; nothing matches then
   * @throws ContractError `rate_limited` when too many requests are waiting
   */
  compare(password: string, hash: string | undefined, party?: string): Promise<Comparison>;
  /** As `compare`, where only the match counts. */
  verify(password: string, hash: string | undefined, party?: string): Promise<boolean>;
  close(): Promise<void>;
}

export interface Comparison {
  matches: boolean;
  /** The hash matches, but would be made differently today: from the password in NFC, at a higher cost. */
  isOutdated: boolean;
}

/** The form that passwords are hashed in: platforms write the same letter in different ways. */
export function hashedForm(password: string): string {
  return password.normalize('NFC');
}

/** @param cost the cost factor of bcrypt: 2^cost rounds */
export function createPasswordHashing({ cost }: { cost: number }): PasswordHashing {
  // One per core: at their low priority they take only what messages leave (hashing-thread.ts).
  const threads = Math.min(availableParallelism(), MAX_THREADS);
  const taskMs = MS_AT_COST_12 * 2 ** (cost - 12);
  const queue = createFairQueue({
    name: 'password hashes',
    atOnce: threads,
    mostWaiting: Math.ceil((threads * MAX_WAIT_MS) / taskMs),
    refuse: () => rateLimited(RETRY_AFTER_MS),
  });
  const pool = createThreadPool('accounts/passwords/hashing-thread', {
    maxThreads: threads,
    idleTimeout: IDLE_THREAD_MS,
  });
  // Well-formed, of this cost, and nobody's: a comparison with it takes as long as any other.
  const dummyHash = `$2b$${String(cost).padStart(2, '0')}$${'.'.repeat(53)}`;

  let isClosed = false;

  const run = <T>(name: 'hash' | 'verify', task: object, party = ''): Promise<T> =>
    queue.run(party, async () => {
      if (isClosed) throw new Error('no password is hashed any more');
      return pool.run<T>(name, task);
    });

  async function matches(password: string, hash: string | undefined, party?: string): Promise<boolean> {
    const isComparable = hash !== undefined && hash !== NO_PASSWORD && Buffer.byteLength(password) <= BCRYPT_MAX_BYTES;
    const isEqual = await run<boolean>('verify', { password, hash: isComparable ? hash : dummyHash }, party);
    return isEqual && isComparable;
  }

  async function compare(password: string, hash: string | undefined, party?: string): Promise<Comparison> {
    const composed = hashedForm(password);
    const isRenewable = Buffer.byteLength(composed) <= BCRYPT_MAX_BYTES;
    const isOld = isRenewable && hash !== undefined && costOf(hash) < cost;
    if (await matches(password, hash, party)) {
      return { matches: true, isOutdated: isOld || (isRenewable && composed !== password) };
    }
    if (composed === password || !(await matches(composed, hash, party))) return { matches: false, isOutdated: false };
    return { matches: true, isOutdated: isOld };
  }

  return {
    hash: (password, party) => run('hash', { password: hashedForm(password), cost }, party),
    compare,
    verify: async (password, hash, party) => (await compare(password, hash, party)).matches,
    close() {
      isClosed = true;
      return pool.close();
    },
  };
}

/** The cost factor in a bcrypt hash: `$2b$12$…`. */
function costOf(hash: string): number {
  return Number(hash.split('$')[2]);
}
