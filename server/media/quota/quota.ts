/** What a user's uploads may hold together (`USER_QUOTA_BYTES`). */
import { setTimeout as sleep } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import type { FieldError } from '../../../shared/contract/errors.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { ContractError, unavailable } from '../../lib/errors.ts';
import { createLru } from '../../lib/lru.ts';
import type { Amount } from './amount.ts';
import type { Recount } from './recount.ts';
import type { Change, Usage } from './usage.ts';

/** A recount reads all uploads of a user. So the next one waits for this many times as long as that took, … */
const REST_FACTOR = 50;
/** … and at least so many milliseconds. */
const MIN_REST_MS = 1000;
/** Users whose last recount is remembered. */
const REMEMBERED = 10_000;
/** Waits before the attempts to end a change that failed, in milliseconds: the store may be away. */
const FIRST_WAIT_MS = 5000;
const LONGEST_WAIT_MS = 60_000;

const NOTHING: Amount = { bytes: 0, expected: 0 };

export interface Quota {
  /**
   * Counts bytes of an upload before they are noted.
   * @param arrived what was expected of the same upload until now, in bytes
   * @param note writes that note. After a failure the note may be there all the same, and must be given back
   * @throws ContractError `payload_too_large` with the path `quota` when the user's uploads would hold too much
   */
  take(userId: ObjectId, bytes: number, note: () => Promise<void>, arrived?: number): Promise<void>;
  /** Counts what a request is going to bring, in bytes, as `take` does. */
  expect(userId: ObjectId, expected: number, note: () => Promise<void>): Promise<void>;
  /**
   * Removes what holds bytes, and no longer counts them.
   * @param remove of all callers that try to remove the same, it succeeds for one alone
   * @param freedBy what that freed
   * @returns what `remove` returns
   */
  giveBack<T>(userId: ObjectId, remove: () => Promise<T>, freedBy: (removed: T) => Partial<Amount>): Promise<T>;
}

/** @param quotaBytes 0 for none */
export function createQuota(usage: Usage, recount: Recount, quotaBytes: number): Quota {
  const limit = quotaBytes === 0 ? Number.POSITIVE_INFINITY : quotaBytes;
  const resting = createLru<true>('quotas', REMEMBERED);
  const recounts = new Map<string, Promise<void>>();

  async function recountAndRest(userId: ObjectId, key: string): Promise<void> {
    try {
      const took = await recount(userId);
      resting.set(key, true, { ttl: Math.max(took * REST_FACTOR, MIN_REST_MS) });
    } finally {
      recounts.delete(key);
    }
  }

  async function add(change: Change, amount: Amount, arrived: number): Promise<void> {
    if (await usage.add(change, amount, arrived, limit)) return;
    const key = change.userId.toHexString();
    if (!resting.has(key)) {
      // The sums may be higher than they should be.
      const running = recounts.get(key) ?? recountAndRest(change.userId, key);
      recounts.set(key, running);
      await running;
      if (await usage.add(change, amount, arrived, limit)) return;
    }
    const message = `your uploads would hold more than ${quotaBytes} bytes together`;
    throw new ContractError('payload_too_large', message, [{ path: 'quota', message } satisfies FieldError]);
  }

  /** Goes on until the change has ended, because until then there is no recount. */
  async function endAtLast(change: Change, freed: Amount): Promise<void> {
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
      await sleep(wait, undefined, { ref: false });
      try {
        await usage.end(change, freed);
        return;
      } catch {
        // Still away.
      }
    }
  }

  /** @param freed what is to be subtracted should this fail: it may have been carried out all the same */
  async function attempt<T>(step: Promise<T>, change: Change, freed: Amount): Promise<T> {
    try {
      return await withDeadline(step);
    } catch (error) {
      if (!(error instanceof ContractError) || error.code === 'unavailable') void endAtLast(change, freed);
      throw error;
    }
  }

  /** Does what a change announced. A failure is told at once; the change ends when the work has, which may take longer. */
  async function orEnd<T>(work: Promise<T>, change: Change): Promise<T> {
    try {
      return await withDeadline(work);
    } catch (error) {
      const end = () => attempt(usage.end(change, NOTHING), change, NOTHING);
      void work.then(end, end).catch(() => {});
      throw error;
    }
  }

  async function count(userId: ObjectId, amount: Amount, arrived: number, note: () => Promise<void>): Promise<void> {
    const change = { userId, id: new ObjectId() };
    await attempt(add(change, amount, arrived), change, { ...amount, expected: amount.expected - arrived });
    await orEnd(note(), change);
    if (!(await attempt(usage.end(change, NOTHING), change, NOTHING))) throw unavailable();
  }

  return {
    take: (userId, bytes, note, arrived = 0) => count(userId, { bytes, expected: 0 }, arrived, note),
    expect: (userId, expected, note) => count(userId, { bytes: 0, expected }, 0, note),
    async giveBack(userId, remove, freedBy) {
      const change = { userId, id: new ObjectId() };
      await attempt(usage.begin(change), change, NOTHING);
      const removed = await orEnd(remove(), change);
      const freed = { ...NOTHING, ...freedBy(removed) };
      await attempt(usage.end(change, freed), change, freed).catch(() => {});
      return removed;
    },
  };
}
