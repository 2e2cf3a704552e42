/** Counts an upload in its uploader's quota while a request is still bringing it. */
import type { ObjectId } from 'mongodb';
import { ContractError } from '../../lib/errors.ts';
import type { Collections } from '../../model/collections.ts';
import { insertOnce } from '../../model/insert-once.ts';
import { amountOf } from '../quota/amount.ts';
import type { Quota } from '../quota/quota.ts';

/** When the clean-up takes over a note, in milliseconds: longer than a request may take. */
const PENDING_MS = 60 * 60 * 1000;

export interface Incoming {
  /** Of the upload. */
  id: ObjectId;
  uploaderId: ObjectId;
  /** Of the file at least, in bytes; below 1 when nothing is known. */
  size: number;
}

/**
 * Does work on an upload, whose size is reserved in the meantime. `Keep` takes the reservation over; what it has not
 * taken when the work fails is given back.
 * @throws ContractError `payload_too_large` when the uploader's quota has no room for it; what the work throws
 */
export type Reserving = <T>(incoming: Incoming, work: () => Promise<T>) => Promise<T>;

export interface ReservationOptions {
  collections: Pick<Collections, 'pending_uploads'>;
  quota: Quota;
  /** Of this process. */
  nodeId: string;
  clock(): Date;
}

export function createReserving({ collections, quota, nodeId, clock }: ReservationOptions): Reserving {
  const { pending_uploads: pending } = collections;

  async function hold({ id, uploaderId, size }: Incoming): Promise<void> {
    const expires_at = new Date(clock().getTime() + PENDING_MS);
    const note = { _id: id, keys: [], uploader_id: uploaderId, expected: size, node_id: nodeId, expires_at };
    await quota.expect(uploaderId, size, async () => void (await insertOnce(pending, note)));
  }

  async function release({ id, uploaderId }: Incoming): Promise<void> {
    const untouched = { _id: id, keys: { $size: 0 }, abandoned: { $exists: false } };
    await quota.giveBack(uploaderId, () => pending.findOneAndDelete(untouched), amountOf);
  }

  return async (incoming, work) => {
    if (!(incoming.size > 0)) return work();
    try {
      await hold(incoming);
      return await work();
    } catch (error) {
      // What cannot be released is left to the clean-up.
      const released = release(incoming).catch(() => {});
      // An answer that the store is away has waited long enough already.
      if (!(error instanceof ContractError) || error.code !== 'unavailable') await released;
      throw error;
    }
  };
}
