import type { Collection, Filter, ObjectId, OptionalUnlessRequiredId } from 'mongodb';
import { isDuplicateKey } from './failures.ts';

/**
 * Inserts a document whose `_id` was made for it and nothing else.
 * @returns whether it is stored; false where a unique index refused it. If only its `_id` is there already, it was stored
 *   by an earlier attempt whose answer was lost.
 */
export async function insertOnce<D extends { _id: ObjectId }>(
  collection: Collection<D>,
  document: D,
): Promise<boolean> {
  try {
    await collection.insertOne(document as OptionalUnlessRequiredId<D>);
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    const stored = await collection.findOne({ _id: document._id } as Filter<D>, { projection: { _id: 1 } });
    return stored !== null;
  }
}
