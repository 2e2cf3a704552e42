/** Many documents in one command: look-ups by id, and upserts whose duplicates count as done. */
import type { Collection, Document, Filter, ObjectId, UpdateOneModel } from 'mongodb';
import { batched } from '../lib/group-commit.ts';
import { duplicateIndex, type Refusal, refusals } from './failures.ts';

/** @returns a look-up by id; concurrent look-ups share one query */
export function batchedById<D extends { _id: ObjectId }>(
  collection: Collection<D>,
): (id: ObjectId) => Promise<D | undefined> {
  return batched(async (ids: readonly ObjectId[]) => {
    const wanted = new Map(ids.map((id) => [id.toHexString(), id]));
    const found = await collection
      .find({ _id: { $in: [...wanted.values()] } } as Filter<D>, { batchSize: wanted.size + 1 })
      .toArray();
    const byId = new Map(found.map((document) => [document._id.toHexString(), document as D]));
    return ids.map((id) => byId.get(id.toHexString()));
  });
}

/**
 * Carries out upserts. One whose document exists but no longer matches its filter is refused as a duplicate.
 * @returns for each upsert true if it wrote, false if it was a duplicate, or the error that it was refused with
 */
export async function upsertAll<D extends Document>(
  collection: Collection<D>,
  upserts: UpdateOneModel<D>[],
): Promise<(boolean | Error)[]> {
  let refused: Map<number, Refusal> | undefined;
  try {
    await collection.bulkWrite(
      upserts.map((updateOne) => ({ updateOne: { ...updateOne, upsert: true } })),
      { ordered: false },
    );
  } catch (error) {
    refused = refusals(error);
    if (!refused) throw error;
  }
  return upserts.map((_, i) => {
    const refusal = refused?.get(i);
    return refusal && duplicateIndex(refusal) === undefined ? new Error(refusal.errmsg) : refusal === undefined;
  });
}
