import { display } from './display.ts';
import { isDoc } from './document.ts';
import { Fault } from './fault.ts';
import { isNumber, toNumber } from './numbers.ts';

const NUMBER_OF_ALIAS: Record<string, number> = {
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

const ALIAS_OF_NUMBER = new Map(Object.entries(NUMBER_OF_ALIAS).map(([alias, number]) => [number, alias]));

const ALIAS_OF_BSON_TYPE: Record<string, string> = {
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

/** MongoDB's alias for the value's BSON type (`string`, `int`, `objectId`, …); `missing` for undefined. */
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
  return ALIAS_OF_BSON_TYPE[type] ?? type;
}

/**
 * The type aliases that an operand of `$type` or `bsonType` stands for: an alias, a type number, or `number`.
 * @throws Fault BadValue for an unknown alias or number
 */
export function typeAliases(operand: unknown): string[] {
  if (operand === 'number') return ['int', 'long', 'double', 'decimal'];
  if (typeof operand === 'string') {
    if (Object.hasOwn(NUMBER_OF_ALIAS, operand)) return [operand];
    throw new Fault(2, `Unknown type name alias: ${operand}`);
  }
  const alias = isNumber(operand) ? ALIAS_OF_NUMBER.get(toNumber(operand)) : undefined;
  if (alias === undefined) throw new Fault(2, `Invalid numerical type code: ${display(operand)}`);
  return [alias];
}
