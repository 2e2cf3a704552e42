/** Reads and writes single calls. */
import type { ObjectId } from 'mongodb';
import { fromId } from '../model/codec.ts';
import type { Collections } from '../model/collections.ts';
import type { CallDocument } from '../model/documents/calls.ts';
import { isDuplicateKey, isUnavailable } from '../model/failures.ts';
import type { OutboxSource } from '../outbox/outbox.ts';
import { type Call, isOver } from './call.ts';
import { toCall, toDocument, toSeat } from './document.ts';

export interface CallStore {
  find(id: string): Promise<Call | undefined>;
  /** The little that the relay of signals needs: one read by primary key. */
  findSeats(id: string): Promise<Pick<Call, 'status' | 'seats'> | undefined>;
  /**
   * Stores a new call.
   * @throws MongoServerError duplicate key: its conversation has an open call, or its caller is in another one
   */
  insert(call: Call): Promise<void>;
  /**
   * Stores the next version of a call, if the one before it is still the newest.
   * @returns false when another change was first
   * @throws MongoServerError duplicate key: a user who takes a seat is in another call
   */
  advance(call: Call): Promise<boolean>;
}

/** @param outbox tells webhooks of calls that are over */
export function createCallStore(
  { calls }: Pick<Collections, 'calls'>,
  outbox: Pick<OutboxSource<CallDocument>, 'noted' | 'moveSoon'>,
): CallStore {
  const documentOf = (call: Call) => ({ ...toDocument(call), ...(isOver(call) ? outbox.noted() : {}) });

  /** Runs a write. When its answer is lost, or a retry runs into the first attempt, looks whether the write arrived. */
  async function confirmed(id: ObjectId, writeId: ObjectId, write: () => Promise<boolean>): Promise<boolean> {
    let failure: unknown;
    try {
      if (await write()) return true;
    } catch (error) {
      if (!isUnavailable(error) && !isDuplicateKey(error)) throw error;
      failure = error;
    }
    const arrived = await calls.findOne({ _id: id, write_id: writeId }, { projection: { _id: 1 } });
    if (!arrived && failure) throw failure;
    return arrived !== null;
  }

  return {
    async find(id) {
      const found = await calls.findOne({ _id: fromId(id) });
      return found ? toCall(found) : undefined;
    },
    async findSeats(id) {
      const found = await calls.findOne({ _id: fromId(id) }, { projection: { status: 1, seats: 1 } });
      return found ? { status: found.status, seats: found.seats.map(toSeat) } : undefined;
    },
    async insert(call) {
      const document = documentOf(call);
      await confirmed(document._id, document.write_id, async () => {
        await calls.insertOne(document);
        return true;
      });
      outbox.moveSoon(document);
    },
    async advance(call) {
      const document = documentOf(call);
      const isStored = await confirmed(document._id, document.write_id, async () => {
        const { matchedCount } = await calls.replaceOne({ _id: document._id, version: call.version - 1 }, document);
        return matchedCount === 1;
      });
      if (isStored) outbox.moveSoon(document);
      return isStored;
    },
  };
}
