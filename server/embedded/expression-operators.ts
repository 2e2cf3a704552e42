import { Double, Int32, Long, ObjectId } from 'bson';
import { Fault } from './errors.ts';
import type { Expression } from './expressions.ts';
import { compare } from './keys.ts';
import { arithmetic, likeOperands } from './numbers.ts';
import type { Doc } from './values.ts';
import { fromNumber, isDoc, isLong, isNumber, isTruthy, setField, toNumber, typeName } from './values.ts';

type Compile = (expression: unknown) => Expression;
type Operator = (operand: unknown, compile: Compile) => Expression;

/** An operator over its evaluated arguments, at least `least` and at most `most` of them. */
function over(least: number, most: number, evaluate: (args: unknown[]) => unknown): Operator {
  return (operand, compile) => {
    const args = (Array.isArray(operand) ? operand : [operand]).map(compile);
    if (args.length < least || args.length > most) {
      throw new Fault(
        16020,
        `Expression takes ${least === most ? 'exactly' : 'at least'} ${least} arguments. ${args.length} were passed in.`,
      );
    }
    return (variables) => evaluate(args.map((arg) => arg(variables)));
  };
}

/** An operator of one argument that is null for null and missing. */
function unary(evaluate: (value: unknown) => unknown): Operator {
  return over(1, 1, ([value]) => (isNothing(value) ? null : evaluate(value)));
}

/** An operator with named arguments. */
function named(required: string[], evaluate: (args: Doc) => unknown): Operator {
  return (operand, compile) => {
    if (!isDoc(operand)) throw new Fault(9, 'the operator only supports an object as its argument');
    for (const name of required) if (!(name in operand)) throw new Fault(9, `Missing '${name}' parameter`);
    const args = Object.entries(operand).map(([name, value]) => ({ name, value: compile(value) }));
    return (variables) => evaluate(Object.fromEntries(args.map(({ name, value }) => [name, value(variables)])));
  };
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === null;
}

function numberOf(name: string, value: unknown): number {
  if (!isNumber(value)) throw new Fault(28765, `${name} only supports numeric types, not ${typeName(value)}`);
  return toNumber(value);
}

function arrayOf(name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Fault(17040, `${name} requires arrays, found: ${typeName(value)}`);
  return value;
}

function textOf(name: string, value: unknown): string {
  if (isNothing(value)) return '';
  if (typeof value !== 'string') throw new Fault(16702, `${name} only supports strings, not ${typeName(value)}`);
  return value;
}

/** Missing orders below null in expressions. */
function order(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  return compare(a, b);
}

function comparing(holds: (order: number) => boolean): Operator {
  return over(2, 2, ([a, b]) => holds(order(a, b)));
}

function add(args: unknown[]): unknown {
  let sum: unknown = new Int32(0);
  let date = false;
  for (const value of args) {
    if (isNothing(value)) return null;
    if (value instanceof Date) {
      if (date) throw new Fault(16612, 'only one date allowed in an $add expression');
      date = true;
      sum = arithmetic('add', sum, Long.fromNumber(value.getTime()));
    } else {
      if (!isNumber(value)) throw new Fault(14, `$add only supports numeric or date types, not ${typeName(value)}`);
      sum = arithmetic('add', sum, value) ?? new Double(toNumber(sum) + toNumber(value));
    }
  }
  return date ? new Date(toNumber(sum)) : sum;
}

function subtract([a, b]: unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null;
  if (a instanceof Date) {
    if (b instanceof Date) return Long.fromNumber(a.getTime() - b.getTime());
    return new Date(a.getTime() - numberOf('$subtract', b));
  }
  numberOf('$subtract', a);
  numberOf('$subtract', b);
  return arithmetic('subtract', a, b) ?? new Double(toNumber(a) - toNumber(b));
}

function multiply(args: unknown[]): unknown {
  if (args.some(isNothing)) return null;
  return args.reduce((product: unknown, value) => {
    numberOf('$multiply', value);
    return arithmetic('multiply', product, value) ?? new Double(toNumber(product) * toNumber(value));
  }, new Int32(1));
}

function divide([a, b]: unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null;
  const divisor = numberOf('$divide', b);
  if (divisor === 0) throw new Fault(2, "can't $divide by zero");
  return new Double(numberOf('$divide', a) / divisor);
}

function mod([a, b]: unknown[]): unknown {
  if (isNothing(a) || isNothing(b)) return null;
  const divisor = numberOf('$mod', b);
  if (divisor === 0) throw new Fault(16610, "can't $mod by zero");
  return likeOperands(numberOf('$mod', a) % divisor, a, b);
}

function rounding(name: string, round: (number: number) => number): Operator {
  return unary((value) => likeOperands(round(numberOf(name, value)), value));
}

/** The extreme of the arguments or of one array; null and missing do not count. */
function extreme(sign: 1 | -1): Operator {
  return over(1, Infinity, (args) => {
    const values = (args.length === 1 && Array.isArray(args[0]) ? args[0] : args).filter((v) => !isNothing(v));
    if (values.length === 0) return null;
    return values.reduce((best, value) => (sign * compare(value, best) > 0 ? value : best));
  });
}

function sumOf(args: unknown[]): unknown {
  const values = args.length === 1 && Array.isArray(args[0]) ? args[0] : args;
  return values
    .filter(isNumber)
    .reduce((sum: unknown, v) => arithmetic('add', sum, v) ?? new Double(toNumber(sum) + toNumber(v)), new Int32(0));
}

function averageOf(args: unknown[]): unknown {
  const numbers = (args.length === 1 && Array.isArray(args[0]) ? args[0] : args).filter(isNumber).map(toNumber);
  return numbers.length === 0 ? null : new Double(numbers.reduce((sum, n) => sum + n, 0) / numbers.length);
}

function isIn(value: unknown, array: unknown[]): boolean {
  return array.some((element) => order(element, value) === 0);
}

function distinct(values: unknown[]): unknown[] {
  return values.toSorted(compare).filter((value, at, all) => at === 0 || compare(value, all[at - 1]) !== 0);
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  if (value instanceof ObjectId) return value.toHexString();
  if (typeof value === 'boolean' || isNumber(value)) return String(value);
  throw new Fault(241, `Unsupported conversion from ${typeName(value)} to string`);
}

function slice([array, first, count]: unknown[]): unknown {
  if (isNothing(array) || isNothing(first)) return null;
  const values = arrayOf('$slice', array);
  const n = numberOf('$slice', first);
  if (count === undefined) return n < 0 ? values.slice(n) : values.slice(0, n);
  const start = n < 0 ? Math.max(0, values.length + n) : n;
  return values.slice(start, start + numberOf('$slice', count));
}

function elementAt([array, at]: unknown[]): unknown {
  if (isNothing(array) || isNothing(at)) return null;
  return arrayOf('$arrayElemAt', array).at(numberOf('$arrayElemAt', at));
}

function bySet(combine: (arrays: unknown[][]) => unknown): Operator {
  return over(1, Infinity, (args) => (args.some(isNothing) ? null : combine(args.map((a) => arrayOf('$set…', a)))));
}

/** The logical operators look at their arguments one after the other. */
function logical(until: boolean): Operator {
  return (operand, compile) => {
    const args = (Array.isArray(operand) ? operand : [operand]).map(compile);
    return (variables) => (args.some((arg) => isTruthy(arg(variables)) === until) ? until : !until);
  };
}

const cond: Operator = (operand, compile) => {
  const [test, yes, no] = (
    isDoc(operand) ? [operand.if, operand.then, operand.else] : Array.isArray(operand) ? operand : []
  ).map(compile);
  if (test === undefined || yes === undefined || no === undefined)
    throw new Fault(16020, '$cond takes exactly 3 arguments');
  return (variables) => (isTruthy(test(variables)) ? yes(variables) : no(variables));
};

const switchOperator: Operator = (operand, compile) => {
  if (!isDoc(operand) || !Array.isArray(operand.branches)) throw new Fault(40061, '$switch requires branches');
  const branches = operand.branches.map((branch) => ({
    when: compile((branch as Doc).case),
    result: compile((branch as Doc).then),
  }));
  const otherwise = 'default' in operand ? compile(operand.default) : undefined;
  return (variables) => {
    for (const { when, result } of branches) if (isTruthy(when(variables))) return result(variables);
    if (otherwise === undefined)
      throw new Fault(40066, '$switch could not find a matching branch for an input, and no default was specified.');
    return otherwise(variables);
  };
};

const ifNull: Operator = (operand, compile) => {
  const args = (operand as unknown[]).map(compile);
  return (variables) => {
    let value: unknown;
    for (const arg of args) {
      value = arg(variables);
      if (!isNothing(value)) return value;
    }
    return value;
  };
};

/** The expression operators that this database knows; anything else is refused as unknown. */
export const operators: Record<string, Operator> = {
  $add: over(0, Infinity, add),
  $subtract: over(2, 2, subtract),
  $multiply: over(0, Infinity, multiply),
  $divide: over(2, 2, divide),
  $mod: over(2, 2, mod),
  $abs: rounding('$abs', Math.abs),
  $floor: rounding('$floor', Math.floor),
  $ceil: rounding('$ceil', Math.ceil),
  $eq: comparing((o) => o === 0),
  $ne: comparing((o) => o !== 0),
  $gt: comparing((o) => o > 0),
  $gte: comparing((o) => o >= 0),
  $lt: comparing((o) => o < 0),
  $lte: comparing((o) => o <= 0),
  $cmp: over(2, 2, ([a, b]) => new Int32(Math.sign(order(a, b)))),
  $and: logical(false),
  $or: logical(true),
  $not: over(1, 1, ([value]) => !isTruthy(value)),
  $cond: cond,
  $switch: switchOperator,
  $ifNull: ifNull,
  $min: extreme(-1),
  $max: extreme(1),
  $sum: over(0, Infinity, sumOf),
  $avg: over(0, Infinity, averageOf),
  $in: over(2, 2, ([value, array]) => isIn(value, arrayOf('$in', array))),
  $size: over(1, 1, ([array]) => new Int32(arrayOf('The argument to $size', array).length)),
  $isArray: over(1, 1, ([value]) => Array.isArray(value)),
  $arrayElemAt: over(2, 2, elementAt),
  $first: unary((value) => arrayOf('$first', value)[0]),
  $last: unary((value) => arrayOf('$last', value).at(-1)),
  $slice: over(2, 3, slice),
  $concatArrays: over(0, Infinity, (args) =>
    args.some(isNothing) ? null : args.flatMap((array) => arrayOf('$concatArrays', array)),
  ),
  $reverseArray: unary((value) => arrayOf('$reverseArray', value).toReversed()),
  $indexOfArray: over(2, 2, ([array, value]) =>
    isNothing(array) ? null : new Int32(arrayOf('$indexOfArray', array).findIndex((e) => order(e, value) === 0)),
  ),
  $setUnion: bySet((arrays) => distinct(arrays.flat())),
  $setIntersection: bySet(([first, ...rest]) => distinct(first!).filter((v) => rest.every((array) => isIn(v, array)))),
  $setDifference: over(2, 2, ([a, b]) =>
    isNothing(a) || isNothing(b)
      ? null
      : distinct(arrayOf('$setDifference', a)).filter((v) => !isIn(v, arrayOf('$setDifference', b))),
  ),
  $setIsSubset: over(2, 2, ([a, b]) =>
    arrayOf('$setIsSubset', a).every((value) => isIn(value, arrayOf('$setIsSubset', b))),
  ),
  $anyElementTrue: over(1, 1, ([array]) => arrayOf('$anyElementTrue', array).some(isTruthy)),
  $allElementsTrue: over(1, 1, ([array]) => arrayOf('$allElementsTrue', array).every(isTruthy)),
  $concat: over(0, Infinity, (args) => (args.some(isNothing) ? null : args.map((a) => textOf('$concat', a)).join(''))),
  $toLower: over(1, 1, ([value]) => (isNothing(value) ? '' : toText(value).toLowerCase())),
  $toUpper: over(1, 1, ([value]) => (isNothing(value) ? '' : toText(value).toUpperCase())),
  $strLenCP: over(1, 1, ([value]) => new Int32([...textOf('$strLenCP', value)].length)),
  $toString: unary(toText),
  $toLong: unary((value) => (isLong(value) ? value : Long.fromNumber(Math.trunc(dateOrNumber(value))))),
  $toInt: unary((value) => new Int32(Math.trunc(dateOrNumber(value)))),
  $toDouble: unary((value) => new Double(dateOrNumber(value))),
  $toBool: unary(isTruthy),
  $toDate: unary((value) => {
    if (value instanceof Date) return value;
    return value instanceof ObjectId ? value.getTimestamp() : new Date(dateOrNumber(value));
  }),
  $type: over(1, 1, ([value]) => typeName(value)),
  $isNumber: over(1, 1, ([value]) => isNumber(value)),
  $mergeObjects: over(0, Infinity, (args) => {
    const merged: Doc = {};
    for (const value of args.flat()) {
      if (isNothing(value)) continue;
      if (!isDoc(value))
        throw new Fault(40400, `$mergeObjects requires object inputs, but input is of type ${typeName(value)}`);
      for (const [name, field] of Object.entries(value)) setField(merged, name, field);
    }
    return merged;
  }),
  $objectToArray: unary((value) => {
    if (!isDoc(value)) throw new Fault(40390, `$objectToArray requires a document input, found: ${typeName(value)}`);
    return Object.entries(value).map(([k, v]) => ({ k, v }));
  }),
  $arrayToObject: unary((value) => {
    const doc: Doc = {};
    for (const entry of arrayOf('$arrayToObject', value)) {
      const [k, v] = Array.isArray(entry) ? entry : [(entry as Doc).k, (entry as Doc).v];
      if (typeof k !== 'string') throw new Fault(40394, '$arrayToObject requires string keys');
      setField(doc, k, v);
    }
    return doc;
  }),
  $range: over(2, 3, ([start, end, step]) => {
    const by = step === undefined ? 1 : numberOf('$range', step);
    if (by === 0) throw new Fault(34449, '$range requires a non-zero step value');
    const values = [];
    for (let n = numberOf('$range', start); by > 0 ? n < toNumber(end) : n > toNumber(end); n += by)
      values.push(fromNumber(n));
    return values;
  }),
  $getField: named(['field'], ({ field, input }) => (isDoc(input) ? input[String(field)] : undefined)),
};

function dateOrNumber(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : toNumber(value);
  if (Number.isNaN(number) && !isNumber(value))
    throw new Fault(241, `Failed to parse number: unsupported value of type ${typeName(value)}`);
  return number;
}
