import { ObjectId } from 'bson';
import { compare } from '../values/compare.ts';
import type { Doc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';

/** The document with its `_id` as the first field. One without `_id` gets a new one. */
export function withId(doc: Doc): Doc {
  const { _id: id = new ObjectId(), ...rest } = doc;
  return { _id: id, ...rest };
}

/**
 * The document after an update.
 * @throws Fault ImmutableField if the update removed or changed the `_id`
 */
export function keepId(before: Doc, after: Doc): Doc {
  if (before._id === undefined) return after;
  if (Object.hasOwn(after, '_id') && compare(before._id, after._id) === 0) return after;
  throw new Fault(66, "Performing an update on the path '_id' would modify the immutable field '_id'");
}
