import { isDoc } from './document.ts';
import { Fault } from './fault.ts';

/** MongoDB's order across types. The numbers are the first bytes of encoded keys, so they are part of the disk format. */
export const TYPE_ORDER = {
  minKey: 0x01,
  /** An empty array in an index. MongoDB indexes it as `undefined`, below null. */
  emptyArray: 0x05,
  null: 0x0a,
  number: 0x14,
  string: 0x1e,
  object: 0x28,
  array: 0x32,
  binary: 0x3c,
  objectId: 0x46,
  bool: 0x50,
  date: 0x5a,
  timestamp: 0x64,
  regex: 0x6e,
  maxKey: 0xf0,
} as const;

/** Stands for an empty array among the values of an index key. */
export const EMPTY_ARRAY = Symbol('empty array');

/**
 * The place of the value's type in MongoDB's order across types.
 * @throws Fault NotImplemented for types that this database does not compare
 */
export function typeOrder(value: unknown): number {
  if (value === undefined || value === null) return TYPE_ORDER.null;
  switch (typeof value) {
    case 'string':
      return TYPE_ORDER.string;
    case 'number':
      return TYPE_ORDER.number;
    case 'boolean':
      return TYPE_ORDER.bool;
    case 'symbol':
      return TYPE_ORDER.emptyArray;
  }
  if (Array.isArray(value)) return TYPE_ORDER.array;
  if (value instanceof Date) return TYPE_ORDER.date;
  if (isDoc(value)) return TYPE_ORDER.object;
  switch ((value as { _bsontype: string })._bsontype) {
    case 'Int32':
    case 'Double':
    case 'Long':
      return TYPE_ORDER.number;
    case 'ObjectId':
      return TYPE_ORDER.objectId;
    case 'Binary':
      return TYPE_ORDER.binary;
    case 'Timestamp':
      return TYPE_ORDER.timestamp;
    case 'BSONRegExp':
      return TYPE_ORDER.regex;
    case 'MinKey':
      return TYPE_ORDER.minKey;
    case 'MaxKey':
      return TYPE_ORDER.maxKey;
    default:
      throw new Fault(238, `the type ${(value as { _bsontype: string })._bsontype} cannot be compared or indexed here`);
  }
}
