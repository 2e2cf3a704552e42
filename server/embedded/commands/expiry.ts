import { type Collection, type Index, withExpiry, withIndexes } from '../storage/collection.ts';
import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { checkExpiry } from './index-spec.ts';
import { isSameKey } from './same-index.ts';

/** What `collMod` changes of an index: when its documents expire, and nothing else. */
export interface ExpiryChange {
  index: Index;
  expireAfterSeconds: unknown;
}

/**
 * Reads the field `index` of `collMod`.
 * @throws Fault IndexNotFound, InvalidOptions, CannotCreateIndex, or an unknown field
 */
export function expiryChange({ namespace, indexes }: Collection, given: Doc): ExpiryChange {
  const { name, keyPattern, expireAfterSeconds } = given;
  const unknown = Object.keys(given).find((field) => !['name', 'keyPattern', 'expireAfterSeconds'].includes(field));
  if (unknown !== undefined) throw new Fault(40415, `BSON field 'collMod.index.${unknown}' is an unknown field.`);
  if ((name === undefined) === (keyPattern === undefined)) {
    throw new Fault(72, 'Must specify exactly one of index name or key pattern');
  }
  if (expireAfterSeconds === undefined)
    throw new Fault(72, 'no expireAfterSeconds, hidden, unique, or prepareUnique field');
  const index = indexes.find((one) =>
    isDoc(keyPattern) ? isSameKey(one.spec.key as Doc, keyPattern) : one.name === name,
  );
  if (index === undefined) throw new Fault(27, `cannot find index ${String(name ?? 'by its key')} for ns ${namespace}`);
  checkExpiry(expireAfterSeconds, index.spec.key as Doc);
  return { index, expireAfterSeconds };
}

export function applyExpiry(collection: Collection, { index, expireAfterSeconds }: ExpiryChange): Collection {
  const changed = withExpiry(index, expireAfterSeconds);
  return withIndexes(
    collection,
    collection.indexes.map((one) => (one === index ? changed : one)),
  );
}
