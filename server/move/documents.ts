/** Documents as they are carried over: read with their exact types, compared by their bytes. */
import { BSON, type Collection, type Document, type FindOptions, type ObjectId } from 'mongodb';

/** Reads numbers and binary data as what they are, so that they are written the same. */
export const EXACT = {
  promoteValues: false,
  promoteLongs: false,
  promoteBuffers: false,
  bsonRegExp: true,
} satisfies FindOptions;

/** Every type of `_id` that is in use. */
export type Id = ObjectId | string | number;

/** Any document, with its exact types. */
export interface Exact extends Document {
  _id: Id;
}

export type AnyCollection = Collection<Exact>;

/** The text of an `_id` that no other `_id` has. */
export function keyOf(id: Id): string {
  return Buffer.from(BSON.serialize({ id })).toString('latin1');
}

export function areEqual(one: Exact, other: Exact): boolean {
  return Buffer.compare(BSON.serialize(one), BSON.serialize(other)) === 0;
}

/** The documents with some ids, in one reply. */
export function findAll(collection: AnyCollection, ids: Id[]): Promise<Exact[]> {
  return collection.find({ _id: { $in: ids } }, { ...EXACT, batchSize: ids.length + 1 }).toArray() as Promise<Exact[]>;
}
