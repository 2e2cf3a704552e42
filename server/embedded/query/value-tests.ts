import { BSONRegExp, MaxKey, MinKey, ObjectId } from 'bson';
import { compare } from '../values/compare.ts';
import { type Doc, isDoc } from '../values/document.ts';
import { Fault } from '../values/fault.ts';
import { toInteger } from '../values/integer.ts';
import { isNumber, toNumber } from '../values/numbers.ts';
import { TYPE_ORDER, typeOrder } from '../values/type-order.ts';
import { typeAliases, typeName } from '../values/types.ts';
import type { Test } from './filter.ts';
import { regexTest } from './regex.ts';

type Comparison = '$eq' | '$gt' | '$gte' | '$lt' | '$lte';

/** Whether the operand is a document of operators rather than a value to compare with. */
export function isOperators(operand: unknown): operand is Doc {
  if (!isDoc(operand)) return false;
  const first = Object.keys(operand)[0];
  return first?.startsWith('$') === true && first !== '$ref' && first !== '$id' && first !== '$db';
}

/** Holds for a value that passes, and for an array with an element that passes. */
export function elementwise(test: Test): Test {
  return (value) => test(value) || (Array.isArray(value) && value.some(test));
}

/** The test of a comparison. Only values of the operand's own type can pass. */
export function comparisonTest(op: Comparison, operand: unknown): Test {
  if (op === '$eq') return elementwise(equality(operand));
  if (operand instanceof BSONRegExp) throw new Fault(2, `Can't have RegEx as arg to predicate over field '${op}'.`);
  if (operand instanceof MinKey || operand instanceof MaxKey) {
    throw new Fault(238, `${op} with MinKey or MaxKey is not supported here`);
  }
  // Null and NaN equal only themselves, and have nothing above or below.
  if (operand === null || (isNumber(operand) && Number.isNaN(toNumber(operand)))) {
    return op === '$gte' || op === '$lte' ? elementwise(equality(operand)) : () => false;
  }
  const type = typeOrder(operand);
  const holds = HOLDS[op];
  return elementwise((value) => {
    if (value === undefined || typeOrder(value) !== type) return false;
    if (type === TYPE_ORDER.number && Number.isNaN(toNumber(value))) return false;
    return holds(compare(value, operand));
  });
}

const HOLDS: Record<Exclude<Comparison, '$eq'>, (order: number) => boolean> = {
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
};

function equality(operand: unknown): Test {
  if (operand === null || operand === undefined) return (value) => value === undefined || value === null;
  if (typeof operand === 'string' || typeof operand === 'boolean') return (value) => value === operand;
  if (operand instanceof ObjectId) return (value) => value instanceof ObjectId && operand.equals(value);
  const type = typeOrder(operand);
  return (value) => value !== undefined && typeOrder(value) === type && compare(value, operand) === 0;
}

/** The test of `$in`. Texts and ObjectIds are looked up in a set. */
export function membershipTest(op: string, operand: unknown): Test {
  if (!Array.isArray(operand)) throw new Fault(2, `${op} needs an array`);
  const strings = new Set<string>();
  const tests: Test[] = [];
  for (const value of operand) {
    if (typeof value === 'string') strings.add(value);
    else if (value instanceof ObjectId) strings.add(`\0${value.toHexString()}`);
    else if (value instanceof BSONRegExp) tests.push(regexTest(value, undefined));
    else if (isOperators(value)) throw new Fault(2, `cannot nest $ under ${op}`);
    else tests.push(equality(value));
  }
  return elementwise((value) => {
    if (typeof value === 'string' && strings.has(value)) return true;
    if (value instanceof ObjectId && strings.has(`\0${value.toHexString()}`)) return true;
    return tests.some((test) => test(value));
  });
}

/** The test of `$type`. */
export function typeTest(operand: unknown): Test {
  const aliases = new Set((Array.isArray(operand) ? operand : [operand]).flatMap(typeAliases));
  return elementwise((value) => value !== undefined && aliases.has(typeName(value)));
}

/** The test of `$size`. */
export function sizeTest(operand: unknown): Test {
  const size = toInteger(operand, '$size');
  if (size < 0) throw new Fault(2, `Failed to parse $size. Expected a non-negative number in: $size: ${size}`);
  return (value) => Array.isArray(value) && value.length === size;
}
