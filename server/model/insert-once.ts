import type { Collection, Filter, ObjectId, OptionalUnlessRequiredId } from 'mongodb';
import { isDuplicateKey } from './failures.ts';

/**
 * Inserts a document. Where a unique index refuses it, an earlier attempt whose answer was lost may have stored it.
 * @param own what only this document has: by default its `_id`, if that was made for it and nothing else
 * @returns whether it is stored; false where another document is in its way
 */
export async function insertOnce<D extends { _id: ObjectId | string }>(
  collection: Collection<D>,
  document: D,
  own: Partial<D> = { _id: document._id } as Partial<D>,
): Promise<boolean> {
  try {
    await collection.insertOne(document as OptionalUnlessRequiredId<D>);
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return (await collection.findOne(own as Filter<D>, { projection: { _id: 1 } })) !== null;
  }
}
