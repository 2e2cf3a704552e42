/** Many documents in one command: look-ups by id, and upserts. */
import type { Collection, Document, Filter, ObjectId, UpdateOneModel } from 'mongodb';
import { batched } from '../lib/group-commit.ts';
import { isDuplicate, isDuplicateKey, type Refusal, refusalError, refusals } from './failures.ts';

/** @returns a look-up by id; concurrent look-ups share one query */
export function batchedById<D extends { _id: ObjectId }>(
  collection: Collection<D>,
): (id: ObjectId) => Promise<D | undefined> {
  return batched(`${collection.collectionName} by id`, async (ids: readonly ObjectId[]) => {
    const wanted = new Map(ids.map((id) => [id.toHexString(), id]));
    const found = await collection
      .find({ _id: { $in: [...wanted.values()] } } as Filter<D>, { batchSize: wanted.size + 1 })
      .toArray();
    const byId = new Map(found.map((document) => [document._id.toHexString(), document as D]));
    return ids.map((id) => byId.get(id.toHexString()));
  });
}

/**
 * @param name a field that is unique: at most one document has a value of it
 * @returns a look-up by that field; concurrent look-ups share one query
 */
export function batchedByKey<D extends { _id: ObjectId }, K extends keyof D & string>(
  collection: Collection<D>,
  name: K,
): (key: string) => Promise<D | undefined> {
  return batched(`${collection.collectionName} by ${name}`, async (keys: readonly string[]) => {
    const wanted = [...new Set(keys)];
    const filter = { [name]: { $in: wanted } } as Filter<D>;
    const found = (await collection.find(filter, { batchSize: wanted.length + 1 }).toArray()) as D[];
    const byKey = new Map(found.map((document) => [document[name] as string, document]));
    return keys.map((key) => byKey.get(key));
  });
}

/** A change of a document that is made where there is none. */
export type Upsert<D extends Document> = Pick<UpdateOneModel<D>, 'filter' | 'update'>;

/**
 * Carries out one upsert whose filter asks for more than the document's key.
 * @returns false where the document exists and does not match
 */
export async function upsert<D extends Document>(collection: Collection<D>, one: Upsert<D>): Promise<boolean> {
  try {
    await collection.updateOne(one.filter, one.update, { upsert: true });
    return true;
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return updateExisting(collection, one);
  }
}

/**
 * Carries out upserts by one command.
 * @returns for each upsert true if it wrote, false where the document exists and does not match, or the error that it was
 *   refused with
 */
export async function upsertAll<D extends Document>(
  collection: Collection<D>,
  upserts: readonly Upsert<D>[],
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
  const doubles = upserts.filter((_, i) => {
    const refusal = refused?.get(i);
    return refusal !== undefined && isDuplicate(refusal);
  });
  const mayMatch = doubles.length > 0 && (await isAnyThere(collection, doubles));
  return Promise.all(
    upserts.map((one, i) => {
      const refusal = refused?.get(i);
      if (!refusal) return true;
      if (!isDuplicate(refusal)) return refusalError(refusal);
      if (!mayMatch) return false;
      return updateExisting(collection, one).catch((error: Error) => error);
    }),
  );
}

/** As `upsertAll`, where every document must be there afterwards. @throws the first error that one was refused with */
export async function upsertEach<D extends Document>(
  collection: Collection<D>,
  upserts: readonly Upsert<D>[],
): Promise<void> {
  for (const outcome of await upsertAll(collection, upserts)) if (outcome instanceof Error) throw outcome;
}

/**
 * What to do where an upsert is refused as a duplicate. Either the document was there and did not match, or another
 * writer inserted it in the same moment: only in the second case may it match now.
 */
async function updateExisting<D extends Document>(collection: Collection<D>, one: Upsert<D>): Promise<boolean> {
  return (await collection.updateOne(one.filter, one.update)).matchedCount > 0;
}

/**
 * Whether a document matches one of the filters: one query instead of a write for each, since hardly ever any does. It
 * reads what the writes would find, not what a majority has.
 */
async function isAnyThere<D extends Document>(collection: Collection<D>, ones: readonly Upsert<D>[]): Promise<boolean> {
  const filter = { $or: ones.map(({ filter }) => filter) } as Filter<D>;
  const options = { projection: { _id: 1 }, readConcern: { level: 'local' } } as const;
  return (await collection.findOne(filter, options)) !== null;
}
