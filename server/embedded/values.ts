import type { Binary } from 'bson';
import { BSON, BSONRegExp, Double, Int32, Long, ObjectId, Timestamp } from 'bson';
import { Fault } from './errors.ts';

/**
 * A decoded document. Numbers stay `Int32`, `Double` and `Long`, so that what is written back has the type it had;
 * regular expressions stay `BSONRegExp`.
 */
export type Doc = Record<string, unknown>;

const typed = { promoteValues: false, bsonRegExp: true } as const;

/** Decodes raw BSON into a typed document. */
export function decode(raw: Uint8Array): Doc {
  return BSON.deserialize(raw, typed);
}

/** Decodes raw BSON, leaving the documents of the array field `field` as raw buffers. */
export function decodeKeepingRaw(raw: Uint8Array, field: string): Doc {
  return BSON.deserialize(raw, { ...typed, fieldsAsRaw: { [field]: true } });
}

/** Encodes a typed document. Missing values (`undefined`) are left out. */
export function encode(doc: Doc): Uint8Array {
  return BSON.serialize(doc, { ignoreUndefined: true });
}

/** Whether the value is an embedded document (not an array and not a scalar BSON type). */
export function isDoc(value: unknown): value is Doc {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(value instanceof Date) && !('_bsontype' in value && typeof value._bsontype === 'string');
}

/** Whether the value is one of the number types. */
export function isNumber(value: unknown): value is Int32 | Double | Long | number {
  return typeof value === 'number' || value instanceof Int32 || value instanceof Double || isLong(value);
}

/** Whether the value is a 64-bit integer (a `Timestamp` is a `Long` by inheritance, but no number). */
export function isLong(value: unknown): value is Long {
  return Long.isLong(value) && !(value instanceof Timestamp);
}

/** The value as a JavaScript number; 64-bit integers lose precision above 2^53. NaN if it is no number. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value instanceof Int32 || value instanceof Double) return value.value;
  return isLong(value) ? value.toNumber() : Number.NaN;
}

/** The value as an integer, or a fault (`TypeMismatch`, BadValue) naming the field that wants one. */
export function toInteger(value: unknown, field: string): number {
  if (!isNumber(value)) {
    throw new Fault(14, `BSON field '${field}' is the wrong type '${typeName(value)}', expected type 'long'`);
  }
  const number = toNumber(value);
  if (!Number.isSafeInteger(number)) throw new Fault(9, `Expected an integer: ${field}: ${number}`);
  return number;
}

/** MongoDB's truth: everything but false, null, undefined (missing) and zero. */
export function isTruthy(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return !isNumber(value) || toNumber(value) !== 0;
}

const typeNumbers: Record<string, number> = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binData: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  javascript: 13,
  symbol: 14,
  javascriptWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: -1,
  maxKey: 127,
};

const aliasOfNumber = new Map(Object.entries(typeNumbers).map(([alias, number]) => [number, alias]));

const aliasOfBsonType: Record<string, string> = {
  Double: 'double',
  Int32: 'int',
  Long: 'long',
  ObjectId: 'objectId',
  Binary: 'binData',
  BSONRegExp: 'regex',
  Timestamp: 'timestamp',
  Decimal128: 'decimal',
  MinKey: 'minKey',
  MaxKey: 'maxKey',
  Code: 'javascript',
  BSONSymbol: 'symbol',
  DBRef: 'object',
};

/** MongoDB's alias of the value's BSON type (`string`, `int`, `objectId`, …); `missing` for undefined. */
export function typeName(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'double';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (isDoc(value)) return 'object';
  const { _bsontype: type } = value as { _bsontype: string };
  return aliasOfBsonType[type] ?? type;
}

/**
 * The aliases that one operand of `$type` (or one entry of `bsonType`) stands for.
 * @throws Fault BadValue for an alias or number that is none
 */
export function typeAliases(operand: unknown): string[] {
  if (operand === 'number') return ['int', 'long', 'double', 'decimal'];
  if (typeof operand === 'string') {
    if (operand in typeNumbers) return [operand];
    throw new Fault(2, `Unknown type name alias: ${operand}`);
  }
  const alias = isNumber(operand) ? aliasOfNumber.get(toNumber(operand)) : undefined;
  if (alias === undefined) throw new Fault(2, `Invalid numerical type code: ${display(operand)}`);
  return [alias];
}

/** A number in the smallest type that holds it: `Int32`, else `Long`; a fraction becomes a `Double`. */
export function fromNumber(number: number): Int32 | Long | Double {
  if (!Number.isSafeInteger(number)) return new Double(number);
  return number >= -0x80000000 && number <= 0x7fffffff ? new Int32(number) : Long.fromNumber(number);
}

/** A deep copy of the containers; scalars are shared, as nothing changes them in place. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T;
  if (!isDoc(value)) return value;
  const copy: Doc = {};
  for (const [name, field] of Object.entries(value)) setField(copy, name, clone(field));
  return copy as T;
}

/** Sets an own field, whatever its name (`__proto__` is a field like any other). */
export function setField(doc: Doc, name: string, value: unknown): void {
  if (name === '__proto__') {
    Object.defineProperty(doc, name, { value, writable: true, enumerable: true, configurable: true });
  } else doc[name] = value;
}

/** The own field of a document, undefined if it has none of that name. */
export function field(doc: Doc, name: string): unknown {
  return Object.hasOwn(doc, name) ? doc[name] : undefined;
}

/** A value in the notation of MongoDB's error messages. */
export function display(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return value.length === 0 ? '[]' : `[ ${value.map(display).join(', ')} ]`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof Double) return Number.isInteger(value.value) ? value.value.toFixed(1) : String(value.value);
  if (isNumber(value)) return String(value);
  if (!isDoc(value)) return displayOther(value as { _bsontype: string });
  const fields = Object.entries(value).map(([name, field]) => `${name}: ${display(field)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function displayOther(value: { _bsontype: string }): string {
  if (value._bsontype !== 'Binary') return value._bsontype;
  const binary = value as unknown as Binary;
  return `BinData(${binary.sub_type}, ${Buffer.from(binary.value()).toString('hex').toUpperCase()})`;
}
