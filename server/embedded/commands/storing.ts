import { BSONRegExp } from 'bson';
import { docOf, type Found } from '../plan/found.ts';
import type { Filter } from '../query/filter.ts';
import type { Collection } from '../storage/collection.ts';
import type { Engine } from '../storage/engine.ts';
import type { Update } from '../update/types.ts';
import { type Doc, encode, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';

/** The longest document, in bytes. */
export const MAX_DOCUMENT = 16 * 1024 * 1024;
/** The deepest nesting of a stored document. MongoDB's limit. */
const MAX_DEPTH = 180;
/** What one level of nesting takes at least, in bytes: type, name, length and end. */
const LEVEL_BYTES = 7;

/**
 * Stores a new document that has its `_id` in front.
 * @param bypass whether the collection's validator is left out
 * @throws Fault DocumentValidationFailure, BSONObjectTooLarge, Overflow, InvalidIdField, and what `Records` throws
 */
export function insertOne(
  engine: Engine,
  collection: Collection,
  doc: Doc,
  raw: Uint8Array,
  bypass: boolean,
): Collection {
  checkStorable(doc, raw);
  if (!bypass) validate(collection, doc);
  return engine.records.insert(collection, doc, raw);
}

/**
 * Stores what an update makes of a found document.
 * @param filter the query that found it
 * @throws as `insertOne`, and what the update throws
 */
export function updateFound(
  engine: Engine,
  collection: Collection,
  found: Found,
  update: Update,
  filter: Filter,
  bypass: boolean,
): { collection: Collection; after: Doc; isChanged: boolean } {
  const before = docOf(found);
  const after = update.apply(before, filter);
  const raw = encode(after);
  if (Buffer.compare(raw, found.raw) === 0) return { collection, after: before, isChanged: false };
  checkStorable(after, raw);
  if (!bypass) validate(collection, after, before);
  return { collection: engine.records.replace(collection, before, after, raw), after, isChanged: true };
}

function checkStorable(doc: Doc, raw: Uint8Array): void {
  if (raw.length > MAX_DOCUMENT) {
    throw new Fault(10334, `BSONObj size: ${raw.length} is invalid. Size must be between 0 and ${MAX_DOCUMENT}(16MB)`);
  }
  if (raw.length > MAX_DEPTH * LEVEL_BYTES && isDeeperThan(MAX_DEPTH, doc)) {
    throw new Fault(15, `cannot insert document because it exceeds ${MAX_DEPTH} levels of nesting`);
  }
  const id = doc._id;
  if (Array.isArray(id)) throw new Fault(53, "The '_id' value cannot be of type array");
  if (id instanceof BSONRegExp) throw new Fault(53, "The '_id' value cannot be of type regex");
}

function isDeeperThan(levels: number, value: unknown): boolean {
  if (Array.isArray(value)) return levels === 0 || value.some((element) => isDeeperThan(levels - 1, element));
  return isDoc(value) && (levels === 0 || Object.values(value).some((field) => isDeeperThan(levels - 1, field)));
}

/** @param before the document before an update, which may have been invalid already */
function validate({ validate: failureOf, options }: Collection, doc: Doc, before?: Doc): void {
  if (failureOf === undefined || options.validationLevel === 'off' || options.validationAction === 'warn') return;
  const details = failureOf(doc);
  if (details === undefined) return;
  if (before !== undefined && options.validationLevel === 'moderate' && failureOf(before) !== undefined) return;
  throw new Fault(121, 'Document failed validation', { errInfo: { failingDocumentId: doc._id, details } });
}
