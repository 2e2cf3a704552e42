import { BSON } from 'bson';

/**
 * A decoded document. Numbers stay `Int32`, `Double` and `Long` and regular expressions stay `BSONRegExp`, so that
 * every value is written back with the type it had.
 */
export type Doc = Record<string, unknown>;

const TYPED = { promoteValues: false, bsonRegExp: true } as const;

/** Decodes raw BSON. */
export function decode(raw: Uint8Array): Doc {
  return BSON.deserialize(raw, TYPED);
}

/** Decodes raw BSON, but leaves the documents in the array `field` as raw buffers. */
export function decodeKeepingRaw(raw: Uint8Array, field: string): Doc {
  return BSON.deserialize(raw, { ...TYPED, fieldsAsRaw: { [field]: true } });
}

/** Encodes a document. Fields that are `undefined` are left out. */
export function encode(doc: Doc): Buffer {
  // In Node the package makes buffers.
  return BSON.serialize(doc, { ignoreUndefined: true }) as Buffer;
}

/** Whether the value is an embedded document, as opposed to an array or a scalar. */
export function isDoc(value: unknown): value is Doc {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(value instanceof Date) && !('_bsontype' in value && typeof value._bsontype === 'string');
}

/** A copy of the nested documents and arrays. Scalars are shared: nothing changes them in place. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T;
  if (!isDoc(value)) return value;
  const copy: Doc = {};
  for (const [name, field] of Object.entries(value)) setField(copy, name, clone(field));
  return copy as T;
}

/** Sets an own field. `__proto__` is a field like any other. */
export function setField(doc: Doc, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(doc, name, { value, writable: true, enumerable: true, configurable: true });
  } else doc[name] = value;
}

/** The document's own field, or undefined. */
export function field(doc: Doc, name: string): unknown {
  return Object.hasOwn(doc, name) ? doc[name] : undefined;
}
